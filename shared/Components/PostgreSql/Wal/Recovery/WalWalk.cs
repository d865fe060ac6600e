using System.Runtime.CompilerServices;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Wal.Recovery;

/// <summary>
/// Follows the WAL as recovery does, segment by segment along a timeline's history, until it ends or does not follow. One pass.
/// </summary>
/// <param name="archive">Where the segments are.</param>
/// <param name="inventory">Which there are.</param>
/// <param name="path">The timeline to follow.</param>
/// <param name="segmentSize">Bytes per segment.</param>
/// <param name="deep">Read and decode every segment; otherwise their facts are chained.</param>
internal sealed class WalWalk(WalArchive archive, WalInventory inventory, TimelineHistory path, int segmentSize, bool deep)
{
    private const int FactsInFlight = 16;
    private const int SegmentsInFlight = 3;
    private readonly WalChain _chain = new();

    /// <summary>Why the walk ended, as a sentence; null if the archived WAL just ends there.</summary>
    public string? Problem { get; private set; }

    /// <summary>The segment at which it ended.</summary>
    public Lsn EndedAt { get; private set; }

    /// <summary>The segment that is archived only in part, if that ended it, and how far it reaches.</summary>
    public (WalSegmentName Name, Lsn At)? Unfinished { get; private set; }

    /// <summary>The object that is damaged, if that ended it.</summary>
    public DamageException? Damage { get; private set; }

    /// <summary>End of the last whole record, by the facts.</summary>
    public Lsn? End => _chain.End;

    public async IAsyncEnumerable<WalStep> RunAsync(Lsn from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = new Lsn(from.Value - (from.Value % (ulong)segmentSize));
        var flight = new Queue<(Lsn Start, WalSegmentName Name, Task<Loaded> Load)>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        WalStep? before = null;
        try
        {
            while (true)
            {
                while (flight.Count < (deep ? SegmentsInFlight : FactsInFlight) && Find(next) is { } name)
                {
                    flight.Enqueue((next, name, LoadAsync(name, stopping.Token)));
                    next += (ulong)segmentSize;
                }

                if (!flight.TryDequeue(out var current)) break;
                var (facts, stop, damage) = await current.Load;
                EndedAt = current.Start;
                if (damage is not null || facts is null)
                {
                    Damage = damage;
                    Problem = damage?.Message ?? $"WAL segment {current.Name} was archived and is gone.";
                    yield break;
                }

                if (_chain.Append(facts, current.Start) is { } wrong)
                {
                    Problem = $"WAL segment {current.Name} does not follow the one before it: {wrong}.";
                    yield break;
                }

                var step = new WalStep(archive, current.Name, current.Start, facts, stop, _chain.CrossingMatters) { Before = before };
                yield return step;
                EndedAt = current.Start + (ulong)segmentSize;
                if (!stop.IsComplete)
                {
                    if (stop.Kind == WalStopKind.EndOfWal) Unfinished = (current.Name, stop.At);
                    else Problem = $"WAL segment {current.Name} is not sound at LSN {stop.At}: {stop.Reason}.";
                    yield break;
                }

                before = step with { Before = null };
            }

            EndedAt = next;
        }
        finally
        {
            await stopping.CancelAsync();
            foreach (var (_, _, load) in flight) await ((Task)load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private WalSegmentName? Find(Lsn start)
    {
        foreach (var timeline in path.Candidates(start, segmentSize))
        {
            var name = WalSegmentName.Containing(timeline, start, segmentSize);
            if (inventory.HasAnything(name)) return name;
        }

        return null;
    }

    private async Task<Loaded> LoadAsync(WalSegmentName name, CancellationToken cancellationToken)
    {
        try
        {
            if (inventory.IsComplete(name) && !deep)
            {
                var facts = await archive.FindFactsAsync(name, cancellationToken);
                return new Loaded(facts, new WalStop(WalStopKind.Filled, name.Next(segmentSize).Start(segmentSize), null), null);
            }

            var content = await archive.FetchSegmentAsync(name, cancellationToken);
            if (content is null) return default;
            var scan = WalScan.Read(content.Bytes.AsSpan(0, content.Length), name, segmentSize, archive.SystemNumber);
            return new Loaded(scan.Facts, scan.Stop, null);
        }
        catch (DamageException e)
        {
            return new Loaded(null, default, e);
        }
    }

    private readonly record struct Loaded(WalSegmentFacts? Facts, WalStop Stop, DamageException? Damage);
}
