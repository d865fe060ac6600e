using System.Runtime.CompilerServices;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>
/// The entries of all writers in order of time, streamed: some segments of each chain are in memory. Segments that do not hold are passed over and
/// told; whether the log is whole, <see cref="AuditVerifier"/> says.
/// </summary>
public sealed class AuditReader(BackupRepository repository)
{
    private const int ReadAhead = 4;

    /// <summary>Objects that could not be read so far, one sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    private readonly List<string> _problems = [];

    public async IAsyncEnumerable<AuditRecord> ReadAsync(AuditFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Chains are in order of time but for entries that had waited, which come a little late.
        var chains = new List<IAsyncEnumerator<AuditRecord>>();
        var next = new PriorityQueue<IAsyncEnumerator<AuditRecord>, (DateTimeOffset, string)>();
        try
        {
            foreach (var writer in await WritersAsync(cancellationToken))
            {
                var chain = ReadChainAsync(writer, cancellationToken).GetAsyncEnumerator(cancellationToken);
                chains.Add(chain);
                await AdvanceAsync(chain);
            }

            while (next.TryDequeue(out var first, out _))
            {
                if (filter.Takes(first.Current.Entry)) yield return first.Current;
                await AdvanceAsync(first);
            }
        }
        finally
        {
            foreach (var chain in chains) await chain.DisposeAsync();
        }

        async ValueTask AdvanceAsync(IAsyncEnumerator<AuditRecord> chain)
        {
            if (await chain.MoveNextAsync()) next.Enqueue(chain, (chain.Current.Entry.At, chain.Current.Writer));
        }
    }

    /// <summary>Those with a record, and those that have lost theirs.</summary>
    private async ValueTask<IReadOnlyCollection<string>> WritersAsync(CancellationToken cancellationToken)
    {
        var writers = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var writer in repository.Audit.ListWritersAsync(cancellationToken)) writers.Add(writer);
        await foreach (var writer in repository.Audit.ListChainsAsync(cancellationToken)) writers.Add(writer);
        return writers;
    }

    private async IAsyncEnumerable<AuditRecord> ReadChainAsync(string writer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ahead = new Queue<Task<AuditSegment?>>();
        try
        {
            await foreach (var sequence in repository.Audit.ListAsync(writer, cancellationToken))
            {
                ahead.Enqueue(ReadSegmentAsync(writer, sequence, cancellationToken));
                if (ahead.Count < ReadAhead) continue;
                foreach (var record in Records(await ahead.Dequeue())) yield return record;
            }

            while (ahead.TryDequeue(out var reading))
                foreach (var record in Records(await reading)) yield return record;
        }
        finally
        {
            // Whoever stopped listening has a reason of their own.
            await ((Task)Task.WhenAll(ahead)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<AuditSegment?> ReadSegmentAsync(string writer, long sequence, CancellationToken cancellationToken)
    {
        try
        {
            return await repository.Audit.ReadAsync(writer, sequence, cancellationToken);
        }
        catch (DamageException e)
        {
            lock (_problems) _problems.Add(e.Message);
            return null;
        }
    }

    private IEnumerable<AuditRecord> Records(AuditSegment? segment)
    {
        if (segment is null) yield break;
        var line = 0;
        foreach (var text in segment.Lines())
        {
            line++;
            if (AuditJson.Read(text.Span) is { } entry)
            {
                yield return new AuditRecord(entry, segment.Head.Writer, segment.Head.Sequence, line);
                continue;
            }

            lock (_problems) _problems.Add($"Line {line} of {segment.Name} is no entry that this program understands.");
        }
    }
}
