using System.Runtime.CompilerServices;

namespace FunctionsBackup.Repository.Audit;

/// <summary>
/// Proves that the log is as its writers made it: every segment is there, signed by its writer, behind the one that it names; and every
/// head that somebody has seen is in its chain. Memory: about 100 bytes per segment and per head that was named, and some segments.
/// </summary>
public sealed class AuditVerifier(BackupRepository repository)
{
    public const int MaximumBreaks = 100;

    /// <summary>Segments that are fetched at once.</summary>
    private const int ReadAhead = 16;

    private readonly SortedDictionary<string, AuditChainCheck> _chains = new(StringComparer.Ordinal);
    private readonly List<AuditBreak> _strays = [];

    /// <param name="known">Heads from elsewhere, beside those that the chains themselves name.</param>
    /// <param name="onSegment">Given each segment that holds, chain by chain, in order; null: nobody wants them.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<AuditReport> RunAsync(
        IReadOnlyList<KnownHead> known, Func<AuditSegment, ValueTask>? onSegment, CancellationToken cancellationToken)
    {
        _chains.Clear();
        _strays.Clear();
        var links = new List<KnownHead>(known);
        await foreach (var (writer, sequence, reading) in ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var chain = ChainOf(writer);
            AuditSegment? segment;
            try
            {
                segment = await reading.ConfigureAwait(false);
            }
            catch (DamageException e)
            {
                chain.AddDamaged(sequence, e.Message);
                continue;
            }

            if (segment is null || !chain.Add(segment)) continue; // null: gone since it was listed, and the gap shows
            if (!segment.IsOfWriteOnlyHost) links.AddRange(segment.Statement.Heads.Select(h => new KnownHead(h, segment.Name)));
            if (onSegment is not null) await onSegment(segment).ConfigureAwait(false);
        }

        foreach (var link in links) ChainOf(link.Head.Writer).Check(link);
        var notes = await CheckWritersAsync(cancellationToken).ConfigureAwait(false);
        var breaks = _chains.Values.SelectMany(c => c.Breaks).Concat(_strays).ToList();
        return new AuditReport([.. _chains.Values.Select(c => c.ToReport())], [.. breaks.Take(MaximumBreaks)], breaks.Count, notes);
    }

    private AuditChainCheck ChainOf(string writer)
    {
        if (!_chains.TryGetValue(writer, out var chain)) _chains.Add(writer, chain = new AuditChainCheck(writer));
        return chain;
    }

    /// <summary>
    /// Each chain needs the record of its writer. A record alone is no break: its writer may have been killed before its first segment.
    /// </summary>
    private async ValueTask<IReadOnlyList<string>> CheckWritersAsync(CancellationToken cancellationToken)
    {
        var notes = new List<string>();
        await foreach (var writer in repository.Audit.ListWritersAsync(cancellationToken).ConfigureAwait(false))
            if (!_chains.ContainsKey(writer))
                notes.Add(
                    $"The writer {writer} has a record and no segments: it was ended before its first one, or they were removed and nobody "
                    + "had seen them.");
        foreach (var chain in _chains.Values.Where(c => c.IsThere))
        {
            var name = AuditNames.WriterOf(chain.Writer);
            try
            {
                if (await repository.Audit.FindWriterAsync(chain.Writer, cancellationToken).ConfigureAwait(false) is null)
                    chain.AddWriterBreak(new AuditBreak(name, $"{name} is missing: nobody vouches for the key of this chain."));
            }
            catch (DamageException e)
            {
                chain.AddWriterBreak(new AuditBreak(name, e.Message));
            }
        }

        return notes;
    }

    /// <summary>All segments in order of writers and numbers; some are being fetched while one is looked at.</summary>
    private async IAsyncEnumerable<(string Writer, long Sequence, Task<AuditSegment?> Reading)> ReadAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ahead = new Queue<(string Writer, long Sequence, Task<AuditSegment?> Reading)>();
        try
        {
            await foreach (var name in repository.Audit.ListNamesAsync(cancellationToken).ConfigureAwait(false))
            {
                if (!AuditNames.TryParse(name, out var writer, out var sequence))
                {
                    if (!name.StartsWith(AuditNames.Writers, StringComparison.Ordinal)
                        || !AuditNames.IsWriter(name.AsSpan(AuditNames.Writers.Length)))
                        _strays.Add(new AuditBreak(name, $"{name} does not belong into the log."));
                    continue;
                }

                ahead.Enqueue((writer, sequence, repository.Audit.ReadAsync(writer, sequence, cancellationToken).AsTask()));
                if (ahead.Count >= ReadAhead) yield return ahead.Dequeue();
            }

            while (ahead.TryDequeue(out var next)) yield return next;
        }
        finally
        {
            // Whoever stopped listening has a reason of their own.
            await ((Task)Task.WhenAll(ahead.Select(a => a.Reading))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
