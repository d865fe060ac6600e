using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Access;
using FunctionsBackup.Components.LiveKit.Twirp;

namespace FunctionsBackup.Components.LiveKit.Snapshots;

/// <summary>Takes an object; called by several threads at once.</summary>
internal delegate ValueTask TakeObject(LiveKitObject item, CancellationToken cancellationToken);

/// <summary>Reads all that a server tells of itself: in pages, and of rooms several at once.</summary>
internal sealed class LiveKitReader(TwirpClient client, LiveKitReading reading)
{
    /// <summary>Rooms that are looked into at once.</summary>
    private const int RoomsAtOnce = 16;

    private const int PageSize = 1000;
    private const long MaximumObjects = 1_000_000;
    private const int MaximumName = 4096;

    /// <summary>Reads everything but what is left out.</summary>
    /// <param name="without">Kinds that are not asked for.</param>
    /// <param name="take">Takes each object.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="LiveKitException">The server refused, did not answer, or answers nonsense.</exception>
    public async ValueTask ReadAsync(IReadOnlyList<LiveKitKind> without, TakeObject take, CancellationToken cancellationToken)
    {
        foreach (var kind in new[] { LiveKitKind.InboundTrunk, LiveKitKind.OutboundTrunk, LiveKitKind.DispatchRule })
            await IfOfferedAsync(kind, () => ReadSipAsync(kind, take, cancellationToken)).ConfigureAwait(false);
        await IfOfferedAsync(
            LiveKitKind.Ingress, () => ReadPagesAsync(LiveKitKind.Ingress, [], LiveKitGrant.Ingress, take, cancellationToken)).ConfigureAwait(false);
        var rooms = await ReadRoomsAsync(take, cancellationToken).ConfigureAwait(false);
        LiveKitKind[] inside = [.. new[] { LiveKitKind.Participant, LiveKitKind.Dispatch }.Except(without)];
        await Parallel.ForEachAsync(
            rooms, new ParallelOptions { MaxDegreeOfParallelism = RoomsAtOnce, CancellationToken = cancellationToken },
            async (room, token) =>
            {
                foreach (var kind in inside) await ReadRoomAsync(kind, room, take, token).ConfigureAwait(false);
            }).ConfigureAwait(false);
        if (without.Contains(LiveKitKind.Egress)) return;
        await IfOfferedAsync(
            LiveKitKind.Egress,
            () => ReadPagesAsync(LiveKitKind.Egress, new JsonObject { ["active"] = false }, LiveKitGrant.Egress, take, cancellationToken)).ConfigureAwait(false);
    }

    private async ValueTask IfOfferedAsync(LiveKitKind kind, Func<ValueTask> read)
    {
        try
        {
            await read().ConfigureAwait(false);
        }
        catch (LiveKitException e) when (e.IsServiceMissing)
        {
            reading.SetMissing(kind, e.Message);
        }
    }

    /// <summary>
    /// Pages go on behind the last id until one has nothing new: servers that know no pages give everything each time, and a server's own limit may
    /// be below the one that is asked for.
    /// </summary>
    private async ValueTask ReadSipAsync(LiveKitKind kind, TakeObject take, CancellationToken cancellationToken)
    {
        var (seen, after) = (new HashSet<string>(StringComparer.Ordinal), "");
        while (true)
        {
            var request = new JsonObject { ["page"] = new JsonObject { ["after_id"] = after, ["limit"] = PageSize } };
            using var answer = await client.AskAsync(kind.List, request, LiveKitGrant.Sip, cancellationToken).ConfigureAwait(false);
            var isNew = false;
            foreach (var item in Items(kind, answer.RootElement))
            {
                var found = Read(kind, null, item);
                after = found.Id;
                if (!seen.Add(found.Id)) continue;
                isNew = true;
                await TakeAsync(take, found, cancellationToken).ConfigureAwait(false);
            }

            if (!isNew) return;
        }
    }

    /// <summary>Pages that name the next one.</summary>
    private async ValueTask ReadPagesAsync(
        LiveKitKind kind, JsonObject request, LiveKitGrant grant, TakeObject take, CancellationToken cancellationToken)
    {
        var (seen, tokens) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        while (true)
        {
            using var answer = await client.AskAsync(kind.List, request, grant, cancellationToken).ConfigureAwait(false);
            foreach (var item in Items(kind, answer.RootElement))
                if (Read(kind, null, item) is var found && seen.Add(found.Id)) await TakeAsync(take, found, cancellationToken).ConfigureAwait(false);
            if (!answer.RootElement.TryGetProperty("next_page_token", out var page) || page.ValueKind != JsonValueKind.Object
                || TextOf(page, "token") is not { Length: > 0 } next)
                return;
            if (!tokens.Add(next)) throw Malformed($"{kind.List} goes round in circles");
            request["page_token"] = new JsonObject { ["token"] = next };
        }
    }

    private async ValueTask<IReadOnlyCollection<string>> ReadRoomsAsync(TakeObject take, CancellationToken cancellationToken)
    {
        var rooms = new HashSet<string>(StringComparer.Ordinal);
        var request = new JsonObject { ["names"] = new JsonArray() };
        using var answer = await client.AskAsync(LiveKitKind.Room.List, request, LiveKitGrant.ListRooms, cancellationToken).ConfigureAwait(false);
        foreach (var item in Items(LiveKitKind.Room, answer.RootElement))
            if (Read(LiveKitKind.Room, null, item) is var room && rooms.Add(room.Id)) await TakeAsync(take, room, cancellationToken).ConfigureAwait(false);
        return rooms;
    }

    private async ValueTask ReadRoomAsync(LiveKitKind kind, string room, TakeObject take, CancellationToken cancellationToken)
    {
        if (reading.IsMissing(kind)) return;
        try
        {
            using var answer = await client.AskAsync(
                kind.List, new JsonObject { ["room"] = room }, LiveKitGrant.AdministerRoom(room), cancellationToken).ConfigureAwait(false);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var item in Items(kind, answer.RootElement))
                if (Read(kind, room, item) is var found && seen.Add(found.Id)) await TakeAsync(take, found, cancellationToken).ConfigureAwait(false);
        }
        catch (LiveKitException e) when (e.Code == "not_found")
        {
            reading.Vanish(room); // rooms end when all have left
        }
        catch (LiveKitException e) when (e.IsServiceMissing)
        {
            reading.SetMissing(kind, e.Message);
        }
    }

    private ValueTask TakeAsync(TakeObject take, LiveKitObject item, CancellationToken cancellationToken) =>
        reading.Add(item.Kind) <= MaximumObjects ? take(item, cancellationToken) : throw Malformed("it has more than a million objects");

    private JsonElement.ArrayEnumerator Items(LiveKitKind kind, JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object) throw Malformed($"the answer to {kind.List} is no object");
        if (!answer.TryGetProperty(kind.Items, out var items) || items.ValueKind == JsonValueKind.Null) return default; // defaults may be left out
        return items.ValueKind == JsonValueKind.Array ? items.EnumerateArray() : throw Malformed($"the answer to {kind.List} has no list of {kind.Items}");
    }

    private LiveKitObject Read(LiveKitKind kind, string? room, JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && TextOf(item, kind.IdField) is { Length: > 0 and <= MaximumName } id
            ? new LiveKitObject(kind, room, id, CanonicalJson.Write(item))
            : throw Malformed($"the answer to {kind.List} has an item without {kind.IdField}");

    private static string? TextOf(JsonElement item, string name)
    {
        try
        {
            return item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // no Unicode
        }
    }

    private LiveKitException Malformed(string what) => new($"{client.Server} does not answer as LiveKit does: {what}; look at components.livekit.url.", "malformed");
}
