using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Components.LiveKit.Twirp;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.LiveKit.Restore;

/// <summary>One object of an inventory.</summary>
/// <param name="Room">Of a dispatch, the name of the room.</param>
/// <param name="Id">The value of <see cref="LiveKitKind.IdField"/>.</param>
/// <param name="Json">All of it.</param>
public sealed record LiveKitItem(string? Room, string Id, JsonObject Json);

/// <summary>The objects of a snapshot, or of a server: what is compared to plan a restore.</summary>
public sealed class LiveKitInventory
{
    /// <summary>An object is some kilobytes; metadata of a room may be 64 KiB.</summary>
    private const long MaximumObject = 16 << 20;

    private readonly Dictionary<LiveKitKind, List<LiveKitItem>> _items = LiveKitKind.All.ToDictionary(k => k, _ => new List<LiveKitItem>());
    private readonly Lock _gate = new();

    /// <summary>Kinds of which nothing is known, with why.</summary>
    public IReadOnlyDictionary<string, string> Missing { get; private set; } = new Dictionary<string, string>();

    /// <summary>In the order of ids.</summary>
    public IReadOnlyList<LiveKitItem> Of(LiveKitKind kind) => _items[kind];

    /// <summary>Whether it is known what there is of the kind.</summary>
    public bool Knows(LiveKitKind kind) => !Missing.ContainsKey(kind.Name);

    /// <summary>What a snapshot holds. Participants are not taken: nothing is done with them.</summary>
    /// <exception cref="DamageException">A part cannot be read.</exception>
    public static async ValueTask<LiveKitInventory> ReadAsync(BackupRepository repository, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var inventory = new LiveKitInventory();
        if (LiveKitBackupDetails.FromJson(snapshot.Details) is { } details) inventory.Missing = details.Missing;
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Kind != EntryKind.File || !ByteName.TryGetText(entry.Path.Span, out var path) || ObjectPath.KindOf(path) is not { } kind
                || kind == LiveKitKind.Participant)
                continue;
            if (entry.Content!.Size > MaximumObject) throw Unreadable(snapshot, path);
            await using var content = repository.OpenContent(entry.Content);
            try
            {
                using var document = await JsonDocument.ParseAsync(content, default, cancellationToken).ConfigureAwait(false);
                // The path is only a name; what counts stands in the object, but the room of a dispatch does too.
                inventory.Add(kind, kind == LiveKitKind.Dispatch ? TextOf(document.RootElement, "room") : null, document.RootElement);
            }
            catch (JsonException e)
            {
                throw Unreadable(snapshot, path, e);
            }
        }

        inventory.Sort();
        return inventory;
    }

    /// <summary>What a server has, without participants.</summary>
    /// <exception cref="LiveKitException">It refused, did not answer, or answers nonsense.</exception>
    public static async ValueTask<LiveKitInventory> ReadAsync(TwirpClient client, bool egress, CancellationToken cancellationToken)
    {
        var (inventory, reading) = (new LiveKitInventory(), new LiveKitReading());
        IReadOnlyList<LiveKitKind> without = egress ? [LiveKitKind.Participant] : [LiveKitKind.Participant, LiveKitKind.Egress];
        await new LiveKitReader(client, reading).ReadAsync(
            without,
            (item, _) =>
            {
                using var document = JsonDocument.Parse(item.Json);
                inventory.Add(item.Kind, item.Room, document.RootElement);
                return ValueTask.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
        inventory.Missing = reading.Missing;
        inventory.Sort();
        return inventory;
    }

    private void Add(LiveKitKind kind, string? room, JsonElement json)
    {
        if (JsonObject.Create(json.Clone()) is not { } item || TextOf(json, kind.IdField) is not { Length: > 0 } id
            || (kind == LiveKitKind.Dispatch && room is null))
            throw new JsonException($"It is no {kind.Title}.");
        lock (_gate) _items[kind].Add(new LiveKitItem(room, id, item));
    }

    private void Sort()
    {
        foreach (var items in _items.Values)
            items.Sort((a, b) => string.CompareOrdinal(a.Room, b.Room) is var byRoom && byRoom != 0 ? byRoom : string.CompareOrdinal(a.Id, b.Id));
    }

    private static string? TextOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static RepositoryException Unreadable(Snapshot snapshot, string path, Exception? inner = null) =>
        new($"{ByteName.Display(ByteName.Parse(path))} of {snapshot.Id} is no object of LiveKit; was it taken by a newer version?", inner);
}
