using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Removals;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Repository.Witnesses;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Heals each of two copies of a repository from the other: objects that are damaged on one side, and those that the primary lost. What the
/// primary removed on purpose does not come back, and what the replica lacks is left to replication.
/// </summary>
/// <param name="unlocked">The repository's keys; stay the caller's.</param>
/// <param name="primary">One side.</param>
/// <param name="replica">The other.</param>
/// <param name="options">How.</param>
/// <param name="time">The clock of repositories that are opened.</param>
public sealed class ReplicaHealing(
    UnlockedRepository unlocked, IObjectStore primary, IObjectStore replica, HealingOptions options, TimeProvider time)
{
    /// <summary>Small ones, which are all read on both sides.</summary>
    private static readonly string[] Records =
    [
        SnapshotStore.Prefix, SnapshotStore.PinPrefix, RecoveryPointStore.Prefix, WitnessStore.Prefix, CollectionMarks.Prefix,
        RemovalRecords.Prefix, ReplicatedObjects.Audit, SubjectRef.Tombstones, SubjectRef.Keys, IndexFormat.Prefix,
    ];

    private readonly ObjectHealer _healer = new(new ObjectCheck(unlocked) { Keys = primary });
    private readonly SealedObjects _primary = new(primary, unlocked.Keys, unlocked.Config.RepositoryId);
    private readonly SealedObjects _replica = new(replica, unlocked.Keys, unlocked.Config.RepositoryId);

    /// <summary>Heals both.</summary>
    /// <param name="cancellationToken">Stops; an object that was taken in hand is completed.</param>
    /// <exception cref="RepositoryException">An object was removed because it was damaged, and could not be created anew; says what to do.</exception>
    public async ValueTask<HealingReport> RunAsync(CancellationToken cancellationToken)
    {
        if (await replica.FindAsync(KeyObjects.Config, cancellationToken).ConfigureAwait(false) is null) return _healer.Report; // not a replica yet
        var removed = await new RemovalRecords(primary, _primary).ListNamesAsync(cancellationToken).ConfigureAwait(false);
        removed.UnionWith(await new RemovalRecords(replica, _replica).ListNamesAsync(cancellationToken).ConfigureAwait(false));
        var erased = await new ErasedKeys(unlocked).SpreadAsync(primary, replica, cancellationToken).ConfigureAwait(false);
        removed.UnionWith(erased.Select(e => e.KeyName));
        foreach (var store in new[] { primary, replica }) await ErasedKeys.PurgeAsync(store, erased, cancellationToken).ConfigureAwait(false);
        var generation = $"{KeyObjects.Prefix}{unlocked.Config.KeyGeneration}/";
        await _healer.CompareAsync(primary, replica, KeyObjects.Config, cancellationToken).ConfigureAwait(false);
        foreach (var prefix in Records.Prepend(generation))
            await ForEachAsync(prefix, async (one, other, token) =>
            {
                var name = (one ?? other)!.Name;
                if (one is not null && other is not null) await _healer.CompareAsync(primary, replica, name, token).ConfigureAwait(false);
                else if (one is null && await WasLostAsync(name, removed, token).ConfigureAwait(false)) await PutBackAsync(name, token).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
        await HealPacksAsync(cancellationToken).ConfigureAwait(false);
        await HealStreamsAsync(cancellationToken).ConfigureAwait(false);
        return _healer.Report;
    }

    private ValueTask PutBackAsync(string name, CancellationToken cancellationToken) =>
        _healer.HealAsync(primary, replica, name, "it was missing", false, cancellationToken);

    private async ValueTask ForEachAsync(
        string prefix, Func<ObjectInfo?, ObjectInfo?, CancellationToken, ValueTask> heal, CancellationToken cancellationToken) =>
        await Parallel.ForEachAsync(
            ReplicatedObjects.JoinAsync(primary, replica, prefix, cancellationToken).Where(p => ObjectCheck.IsKnown((p.One ?? p.Other)!.Name)),
            new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken },
            (pair, token) => heal(pair.One, pair.Other, token)).ConfigureAwait(false);

    /// <summary>Whether an object that only the replica has should be on the primary.</summary>
    private async ValueTask<bool> WasLostAsync(string name, HashSet<string> removed, CancellationToken cancellationToken)
    {
        if (removed.Contains(name)) return false;
        if (name.StartsWith(KeyObjects.SlotWitnesses(unlocked.Config.KeyGeneration), StringComparison.Ordinal)) return false; // made from the slots
        if (name.StartsWith(RecoveryPointStore.Prefix, StringComparison.Ordinal)) return await JoinsSomethingAsync(name, cancellationToken).ConfigureAwait(false);
        return name.StartsWith(KeyObjects.Prefix, StringComparison.Ordinal) || name.StartsWith(SnapshotStore.Prefix, StringComparison.Ordinal)
            || name.StartsWith(SnapshotStore.PinPrefix, StringComparison.Ordinal) || SubjectRef.Parse(name) is not null
            || name.StartsWith(ReplicatedObjects.Audit, StringComparison.Ordinal);
    }

    private async ValueTask<bool> JoinsSomethingAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            if (await new RecoveryPointStore(replica, _replica).FindAsync(name[RecoveryPointStore.Prefix.Length..], cancellationToken).ConfigureAwait(false)
                is not { } point) return false;
            foreach (var id in point.Components.Select(c => c.SnapshotId).OfType<string>())
                if (await primary.FindAsync(SnapshotStore.Prefix + id, cancellationToken).ConfigureAwait(false) is not null) return true;
            return false;
        }
        catch (DamageException)
        {
            return false;
        }
    }

    private async ValueTask HealPacksAsync(CancellationToken cancellationToken)
    {
        var suspects = new HashSet<string>();
        foreach (var (store, its) in new[] { (primary, _primary), (replica, _replica) })
            suspects.UnionWith((await new VerificationResults(store, its).LoadAsync(cancellationToken).ConfigureAwait(false)).Values
                .Where(r => !r.Good).Select(r => r.Pack));
        var needed = await NeededPacksAsync(cancellationToken).ConfigureAwait(false);
        await ForEachAsync(PackFormat.Prefix, async (one, other, token) =>
        {
            if (one is null)
            {
                if (needed(other!.Name)) await PutBackAsync(other.Name, token).ConfigureAwait(false);
            }
            else if (other is not null && (options.ReadAll || one.Size != other.Size || suspects.Contains(one.Name)))
            {
                await _healer.CompareAsync(primary, replica, one.Name, token).ConfigureAwait(false);
            }
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the primary's index names, and what recovery points need by the replica's index.</summary>
    private async ValueTask<Func<string, bool>> NeededPacksAsync(CancellationToken cancellationToken)
    {
        var keys = new RepositoryKeys(unlocked.Keys, unlocked.Config.RepositoryId);
        using var index = await ChunkIndex.OpenAsync(primary, keys, cancellationToken).ConfigureAwait(false);
        var named = index.Packs().Select(p => p.Name).ToHashSet();
        await using var repository = await BackupRepository.OpenAsync(
            new BorrowedStore(replica), unlocked, new RepositoryOptions { KeepKeys = true, Time = time }, cancellationToken).ConfigureAwait(false);
        try
        {
            var marks = await new CollectionMarks(primary, _primary).ListAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
            repository.Index.Condemn(marks.SelectMany(m => m.Condemned));
            var live = await LiveBlocks.FindAsync(repository, cancellationToken).ConfigureAwait(false);
            return name => named.Contains(name) || live.Needs(name);
        }
        catch (RepositoryException)
        {
            // The replica is damaged too, so that it is not known what it needs: whatever its index names. What nobody needs is collected again.
            named.UnionWith(repository.Index.Packs().Select(p => p.Name));
            return named.Contains;
        }
    }

    private async ValueTask HealStreamsAsync(CancellationToken cancellationToken)
    {
        var onlyHere = new System.Collections.Concurrent.ConcurrentBag<string>();
        foreach (var prefix in ReplicatedObjects.Streams)
            await ForEachAsync(prefix, async (one, other, token) =>
            {
                if (one is null) onlyHere.Add(other!.Name);
                else if (other is not null && (options.ReadAll || one.Size != other.Size))
                    await _healer.CompareAsync(primary, replica, one.Name, token).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
        if (onlyHere.IsEmpty || options.NeededStreams is null) return;
        await using var repository = await BackupRepository.OpenAsync(
            new BorrowedStore(replica), unlocked, new RepositoryOptions { KeepKeys = true, Time = time, LoadIndex = false }, cancellationToken)
            .ConfigureAwait(false);
        foreach (var name in await options.NeededStreams(repository, [.. onlyHere.Order(StringComparer.Ordinal)], cancellationToken).ConfigureAwait(false))
            await PutBackAsync(name, cancellationToken).ConfigureAwait(false);
    }
}
