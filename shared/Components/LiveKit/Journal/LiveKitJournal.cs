using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.LiveKit.Journal;

/// <summary>
/// The events that a server told between snapshots, in parts that are only added (FORMAT.md): each holds the events of about a second, one JSON
/// object a line.
/// </summary>
public sealed class LiveKitJournal(BackupRepository repository)
{
    public const string Prefix = "journals/livekit/";

    private const string TimeFormat = "yyyyMMdd'T'HHmmssfff'Z'";

    /// <summary>Adds events; they are durable on return.</summary>
    /// <param name="events">At least one.</param>
    /// <param name="now">When they were received.</param>
    /// <param name="cancellationToken">Stops; then they may be there or not.</param>
    public async ValueTask AddAsync(IReadOnlyList<JournalEvent> events, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var body = new StringBuilder();
        foreach (var item in events) body.Append(item.Json.ToJsonString()).Append('\n');
        var header = new JsonObject { ["events"] = events.Count };
        var name = $"{Prefix}{now.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        await repository.Sealed.CreateAsync(
            SealedKind.JournalPart, name, JsonSerializer.SerializeToUtf8Bytes(header), Encoding.UTF8.GetBytes(body.ToString()), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>The events that were received at or after a time, each once, in the order in which they happened.</summary>
    /// <exception cref="DamageException">A part is not what was written.</exception>
    public async ValueTask<IReadOnlyList<JournalEvent>> ReadAsync(DateTimeOffset from, CancellationToken cancellationToken)
    {
        var events = new Dictionary<string, JournalEvent>(StringComparer.Ordinal);
        await foreach (var (part, received) in ListAsync(cancellationToken).ConfigureAwait(false))
        {
            var name = part.Name;
            if (received < from) continue;
            if (await repository.Sealed.ReadAsync(SealedKind.JournalPart, name, cancellationToken).ConfigureAwait(false) is not { } read) continue;
            foreach (var line in Lines(read.Body))
                if (JournalEvent.Parse(line) is { } item) events.TryAdd(item.Id, item);
                else throw new DamageException(name, $"{name} holds what is no event; was it written by a newer version?");
        }

        return [.. events.Values.OrderBy(e => e.CreatedAt).ThenBy(e => e.Id, StringComparer.Ordinal)];
    }

    /// <summary>The parts that were received before a time.</summary>
    public IAsyncEnumerable<ObjectInfo> FindBeforeAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        ListAsync(cancellationToken).Where(p => p.Received < before).Select(p => p.Part);

    private async IAsyncEnumerable<(ObjectInfo Part, DateTimeOffset Received)> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var info in repository.Store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            var last = info.Name[Prefix.Length..];
            if (DateTimeOffset.TryParseExact(
                last[..Math.Max(0, last.IndexOf('-'))], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var received))
                yield return (info, received);
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(ReadOnlyMemory<byte> body)
    {
        while (!body.IsEmpty)
        {
            var end = body.Span.IndexOf((byte)'\n');
            if (end < 0) end = body.Length;
            yield return body[..end];
            body = body[Math.Min(body.Length, end + 1)..];
        }
    }
}
