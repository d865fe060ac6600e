using System.Runtime.CompilerServices;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Sealing;

namespace FunctionsBackup.Components.Redis.Journal;

/// <summary>How far a journal reaches.</summary>
/// <param name="ReplicationId">Of the stream there.</param>
/// <param name="Offset">Bytes of the stream that are there.</param>
/// <param name="Time">When the last of them came.</param>
public sealed record JournalPosition(string ReplicationId, long Offset, DateTimeOffset Time);

/// <summary>
/// What a server told its replicas between snapshots, in parts that are only added (FORMAT.md). A part may begin and end within a command; who
/// reads gets whole commands.
/// </summary>
/// <param name="repository">Holds it.</param>
/// <param name="component">Name in the configuration.</param>
public sealed class RedisJournal(BackupRepository repository, string component = "redis")
{
    /// <summary>Rests of commands up to this size wait in memory; larger ones are read again.</summary>
    private const int HeldInMemory = 1 << 20;

    private readonly string _prefix = $"journals/redis/{component}/";

    /// <summary>Adds a part; it is durable on return.</summary>
    internal async ValueTask AddAsync(JournalPart part, JournalPartHeader header, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        await repository.Sealed.CreateAsync(SealedKind.JournalPart, part.Name(_prefix), header.ToJson(), bytes, cancellationToken).ConfigureAwait(false);

    /// <summary>All parts: those of one id in the order of their offsets.</summary>
    public async IAsyncEnumerable<JournalPart> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var info in repository.Store.ListAsync(_prefix, cancellationToken).ConfigureAwait(false))
            if (JournalPart.Parse(_prefix, info.Name) is { } part) yield return part;
    }

    /// <summary>Where the newest part ends; null: there is none.</summary>
    public async ValueTask<JournalPosition?> FindTailAsync(CancellationToken cancellationToken)
    {
        JournalPart? newest = null;
        await foreach (var part in ListAsync(cancellationToken).ConfigureAwait(false))
            if (newest is null || (part.ReceivedAt, part.End).CompareTo((newest.ReceivedAt, newest.End)) > 0) newest = part;
        return newest is null ? null : new JournalPosition(newest.ReplicationId, newest.End, newest.ReceivedAt);
    }

    /// <summary>How far one can go on from a snapshot without a gap; null: nothing follows it.</summary>
    public async ValueTask<JournalPosition?> FindReachAsync(string replicationId, long fromOffset, CancellationToken cancellationToken)
    {
        var chain = await FindChainAsync(replicationId, fromOffset, cancellationToken).ConfigureAwait(false);
        return chain.Count == 0 ? null : new JournalPosition(chain[^1].ReplicationId, chain[^1].End, chain[^1].ReceivedAt);
    }

    /// <summary>
    /// The commands behind an offset, as the server sent them: whole ones only, and transactions whole. It stops before a gap.
    /// </summary>
    /// <param name="replicationId">Of the snapshot.</param>
    /// <param name="fromOffset">Of the snapshot: where a command ends.</param>
    /// <param name="until">Nothing that came later; null: all.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Pieces that may end within a command, but the last one does not.</returns>
    /// <exception cref="DamageException">A part is not what was written.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        string replicationId, long fromOffset, DateTimeOffset? until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var chain = await FindChainAsync(replicationId, fromOffset, cancellationToken).ConfigureAwait(false);
        var (scanner, at, held) = (new CommandScanner(), fromOffset, new List<Held>());
        foreach (var part in chain)
        {
            var (header, body) = await ReadPartAsync(part, cancellationToken).ConfigureAwait(false);
            var limit = until is { } time && part.ReceivedAt > time ? BytesBy(header, time) : body.Length;
            var begin = (int)(at - part.Begin);
            var ended = limit > begin ? Feed(scanner, part, body.Span[begin..limit]) : -1;
            if (ended > 0)
            {
                foreach (var piece in held) yield return piece.Bytes ?? await ReadAgainAsync(piece, cancellationToken).ConfigureAwait(false);
                held.Clear();
                yield return body.Slice(begin, ended);
            }

            if (limit < body.Length) yield break;
            var rest = body[(begin + Math.Max(0, ended))..];
            if (!rest.IsEmpty) held.Add(new Held(part, body.Length - rest.Length, rest.Length <= HeldInMemory && held.Count < 16 ? rest.ToArray() : null));
            at = part.End;
        }
    }

    private int Feed(CommandScanner scanner, JournalPart part, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return scanner.Feed(bytes);
        }
        catch (InvalidDataException e)
        {
            var name = part.Name(_prefix);
            throw new DamageException(name, $"{name} holds what is no command of Redis, or the snapshot's offset is not where one ends.", e);
        }
    }

    private static int BytesBy(JournalPartHeader header, DateTimeOffset time)
    {
        var (limit, bytes) = (time.ToUnixTimeMilliseconds(), 0L);
        foreach (var pair in header.Times)
            if (pair[0] <= limit) bytes = pair[1];
        return (int)bytes;
    }

    /// <summary>The parts that follow an offset without a gap, beyond failovers, each as long as possible.</summary>
    private async ValueTask<List<JournalPart>> FindChainAsync(string replicationId, long fromOffset, CancellationToken cancellationToken)
    {
        var all = new Dictionary<string, List<JournalPart>>(StringComparer.Ordinal);
        await foreach (var part in ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!all.TryGetValue(part.ReplicationId, out var its)) all.Add(part.ReplicationId, its = []);
            its.Add(part);
        }

        var (chain, seen) = (new List<JournalPart>(), new HashSet<string>(StringComparer.Ordinal));
        for (var (id, at) = ((string?)replicationId, fromOffset); id is not null && seen.Add(id);)
        {
            at = Cover(all.GetValueOrDefault(id, []), at, chain);
            id = await FindNextIdAsync(all, id, at, seen, cancellationToken).ConfigureAwait(false);
        }

        return chain;
    }

    private static long Cover(List<JournalPart> parts, long at, List<JournalPart> chain)
    {
        for (var i = 0; i < parts.Count;)
        {
            JournalPart? best = null;
            for (; i < parts.Count && parts[i].Begin <= at; i++)
                if (parts[i].End > at && (best is null || parts[i].End > best.End)) best = parts[i];
            if (best is null) break;
            chain.Add(best);
            at = best.End;
        }

        return at;
    }

    /// <summary>The id that a server got when its stream was there.</summary>
    private async ValueTask<string?> FindNextIdAsync(
        Dictionary<string, List<JournalPart>> all, string id, long at, HashSet<string> seen, CancellationToken cancellationToken)
    {
        foreach (var (other, parts) in all)
        {
            if (seen.Contains(other)) continue;
            foreach (var part in parts.Where(p => p.Begin == at))
            {
                var name = part.Name(_prefix);
                var bytes = await repository.Sealed.ReadHeaderAsync(SealedKind.JournalPart, name, cancellationToken).ConfigureAwait(false);
                if (bytes is not null && JournalPartHeader.FromJson(bytes, part.End - part.Begin)?.Previous == id) return other;
            }
        }

        return null;
    }

    private async ValueTask<(JournalPartHeader Header, ReadOnlyMemory<byte> Body)> ReadPartAsync(JournalPart part, CancellationToken cancellationToken)
    {
        var name = part.Name(_prefix);
        var content = await repository.Sealed.ReadAsync(SealedKind.JournalPart, name, cancellationToken).ConfigureAwait(false)
            ?? throw new DamageException(name, $"{name} is gone; was it removed meanwhile?");
        if (content.Body.Length != part.End - part.Begin || JournalPartHeader.FromJson(content.Header, content.Body.Length) is not { } header)
            throw new DamageException(name, $"{name} has not the bytes that its name says; repair the repository.");
        return (header, content.Body);
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadAgainAsync(Held piece, CancellationToken cancellationToken) =>
        (await ReadPartAsync(piece.Part, cancellationToken).ConfigureAwait(false)).Body[piece.Begin..];

    /// <summary>The end of a part whose command ends in a later one.</summary>
    private sealed record Held(JournalPart Part, int Begin, byte[]? Bytes);
}
