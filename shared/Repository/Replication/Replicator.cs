using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Repository.Witnesses;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Brings a replica up to its primary: copies what is missing, as it is, and then follows what the primary removed on purpose. Broken off
/// anywhere, the replica is a valid repository, and the next pass goes on. Several passes may run side by side, of
/// several hosts: none takes what is needed, but one may create again what another has just removed, so that for a time the replica names
/// things that are gone and that no recovery point of it needs. The next pass that runs alone sets that right.
/// </summary>
/// <remarks>
/// The primary is listed against the order in which backups write, records first and packs last, and the replica is written in that order:
/// whatever a copied record needs was there when the packs were listed. Only a collection on the primary can take something away in between;
/// it takes packs out of the index first, so the index is looked at again after the packs were copied.
/// </remarks>
/// <param name="primary">Open, with its index. Its keys check what is copied; they are not needed on the replica.</param>
/// <param name="replica">The store of the replica; stays the caller's.</param>
/// <param name="options">How.</param>
public sealed class Replicator(BackupRepository primary, IObjectStore replica, ReplicationOptions options)
{
    /// <summary>How often the primary's index may be merged while packs are copied, before somebody should look.</summary>
    private const int Attempts = 5;

    private readonly ObjectCheck _check = new(primary.Unlocked) { Keys = primary.Store };
    private long _objects, _bytes;
    private IReadOnlyList<string> _erasure = [];

    /// <summary>Makes one pass.</summary>
    /// <param name="progress">Told of every object; may be called concurrently.</param>
    /// <param name="cancellationToken">Stops; the next pass goes on.</param>
    /// <exception cref="ReplicaRefusedException">The two are not primary and replica.</exception>
    /// <exception cref="NewEpochException">The keys changed meanwhile: open the primary again.</exception>
    public async ValueTask<ReplicationReport> RunAsync(IProgress<ReplicationProgress>? progress, CancellationToken cancellationToken)
    {
        var isSeeded = await ReplicaIdentity.CheckAsync(primary.Unlocked.Config, primary.Store, replica, cancellationToken).ConfigureAwait(false);
        if (!isSeeded && !options.MayBegin)
            throw new ReplicaRefusedException(
                $"Nothing was replicated: {replica.Description} holds no replica yet; is its disk mounted? To begin one there, run 'fbackup repository replicate --create' once.");
        var lag = progress is null ? null : await ReplicaLag.MeasureAsync(primary.Store, replica, cancellationToken).ConfigureAwait(false);
        var copier = new ReplicaCopier(primary.Store, replica, _check, options.Parallelism, (_, size) =>
        {
            var objects = Interlocked.Increment(ref _objects);
            var bytes = Interlocked.Add(ref _bytes, size);
            progress?.Report(new ReplicationProgress(objects, Math.Max(objects, lag!.MissingObjects), bytes, Math.Max(bytes, lag.MissingBytes)));
        });
        progress?.Report(new ReplicationProgress(0, lag!.MissingObjects, 0, lag.MissingBytes));
        await CopyKeysAsync(copier, isSeeded, cancellationToken).ConfigureAwait(false);
        var epochs = KeyObjects.Epochs(primary.Unlocked.Config.KeyGeneration);
        _check.LastEpoch = (uint)await replica.ListAsync(epochs, cancellationToken).CountAsync(cancellationToken).ConfigureAwait(false);
        var (records, segments) = await CopyPacksAsync(copier, cancellationToken).ConfigureAwait(false);
        var streams = new List<ObjectInfo>();
        foreach (var prefix in ReplicatedObjects.Streams)
            streams.AddRange(await Missing(prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false));
        await CopySessionsAsync(copier, cancellationToken).ConfigureAwait(false);
        await copier.CopyInOrderAsync(streams.ToAsyncEnumerable(), null, cancellationToken).ConfigureAwait(false);

        await CopySubjectsAsync(copier, cancellationToken).ConfigureAwait(false);
        var follower = new ReplicaFollower(primary, replica, copier, options);
        await follower.FollowRemovalsAsync(cancellationToken).ConfigureAwait(false);
        await CopyIndexAsync(copier, follower, segments, cancellationToken).ConfigureAwait(false);
        await CopyRecordsAsync(copier, records, cancellationToken).ConfigureAwait(false);
        await follower.FollowCollectionAsync(cancellationToken).ConfigureAwait(false);
        return new ReplicationReport
        {
            CopiedObjects = _objects,
            CopiedBytes = _bytes,
            RemovedObjects = follower.Removed,
            Damaged = copier.Damaged,
            OnlyOnReplica = follower.OnlyOnReplica,
            Notes = [.. _erasure, .. follower.Notes],
            Refusal = follower.Refusal,
        };
    }

    private IAsyncEnumerable<ObjectInfo> Missing(string prefix, CancellationToken cancellationToken) =>
        ReplicatedObjects.MissingAsync(primary.Store, replica, prefix, cancellationToken);

    /// <summary>First the keys, then what makes a store a repository.</summary>
    private async ValueTask CopyKeysAsync(ReplicaCopier copier, bool isSeeded, CancellationToken cancellationToken)
    {
        var generation = primary.Unlocked.Config.KeyGeneration;
        var missing = await Missing($"{KeyObjects.Prefix}{generation}/", cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        // A copy of a slot without the slot would look like a loss.
        var witnesses = KeyObjects.SlotWitnesses(generation);
        await copier.CopyInOrderAsync(
            missing.OrderBy(i => i.Name.StartsWith(witnesses, StringComparison.Ordinal)).ToAsyncEnumerable(), null, cancellationToken).ConfigureAwait(false);
        if (isSeeded) return;
        if (copier.Damaged.Count > 0)
            throw new DamageException(
                copier.Damaged[0].Name,
                $"A new replica was not begun, because {copier.Damaged[0].Name} of the primary is damaged: {copier.Damaged[0].Problem}; run 'fbackup repository repair'.");
        if (await primary.Store.FindAsync(KeyObjects.Config, cancellationToken).ConfigureAwait(false) is not { } config)
            throw new ObjectNotFoundException(KeyObjects.Config, primary.Store.Description);
        await copier.CopyInOrderAsync(new[] { config }.ToAsyncEnumerable(), null, cancellationToken).ConfigureAwait(false);
        if (copier.Damaged.Count > 0) throw new DamageException(KeyObjects.Config, $"The primary's config is damaged: {copier.Damaged[0].Problem}.");
    }

    /// <summary>Write-only writers begin sessions all the time: once more, after all was listed that may need their keys.</summary>
    private async ValueTask CopySessionsAsync(ReplicaCopier copier, CancellationToken cancellationToken)
    {
        var generation = primary.Unlocked.Config.KeyGeneration;
        foreach (var prefix in new[] { KeyObjects.Writers(generation), KeyObjects.Sessions(generation) })
            await copier.CopyInOrderAsync(Missing(prefix, cancellationToken), null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What was erased first: a key that was destroyed comes to no replica, and goes from one that has it.</summary>
    private async ValueTask CopySubjectsAsync(ReplicaCopier copier, CancellationToken cancellationToken)
    {
        var erased = await new ErasedKeys(primary.Unlocked).SpreadAsync(primary.Store, replica, cancellationToken).ConfigureAwait(false);
        _erasure = await ErasedKeys.PurgeAsync(replica, erased, cancellationToken).ConfigureAwait(false);
        await copier.CopyInOrderAsync(
            Missing(SubjectRef.Keys, cancellationToken).Where(i => SubjectRef.Parse(i.Name) is { } key && !erased.Contains(key)), null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lists records, looks at the index, copies packs; again if packs may have gone in between.</summary>
    /// <returns>Records that the replica lacks and everything is there for, and segments in force that it lacks.</returns>
    private async ValueTask<(List<ObjectInfo> Records, List<IndexSegment> Segments)> CopyPacksAsync(ReplicaCopier copier, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var records = new List<ObjectInfo>();
            foreach (var prefix in ReplicatedObjects.Records)
            {
                var its = await Missing(prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
                // In the order of their commits; of equal times, by name.
                records.AddRange(prefix == SnapshotStore.Prefix ? its.OrderBy(i => i.LastModified).ThenBy(i => i.Name, StringComparer.Ordinal) : its);
            }

            await primary.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
            foreach (var damage in primary.Index.Damaged) copier.Note(damage.ObjectName, damage.Message.TrimEnd('.'));
            var there = await replica.ListAsync(IndexFormat.Prefix, cancellationToken).Select(i => i.Name).ToHashSetAsync(null, cancellationToken)
                .ConfigureAwait(false);
            var segments = primary.Index.Segments.Where(s => !there.Contains(s.Name)).ToList();
            await copier.CopyAllAsync(Missing(PackFormat.Prefix, cancellationToken), cancellationToken).ConfigureAwait(false);
            await primary.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
            var now = primary.Index.Segments.Select(s => s.Name).ToHashSet();
            if (segments.TrueForAll(s => now.Contains(s.Name))) return (records, segments);
            if (attempt == Attempts)
                throw new StoreException(
                    $"The index of {primary.Store.Description} was merged {Attempts} times while packs were copied; replicate again when nothing is pruned.",
                    transient: true);
        }
    }

    /// <summary>Those that replace others come last, since the last of a merge stands for all of it.</summary>
    private async ValueTask CopyIndexAsync(
        ReplicaCopier copier, ReplicaFollower follower, List<IndexSegment> segments, CancellationToken cancellationToken)
    {
        await CopyAsync(segments.Where(s => s.Supersedes.Count == 0)).ConfigureAwait(false);
        var replacing = segments.Where(s => s.Supersedes.Count > 0).ToList();
        if (replacing.Count == 0) return;
        await follower.KeepEntriesAsync(replacing, cancellationToken).ConfigureAwait(false);
        await CopyAsync(replacing).ConfigureAwait(false);

        ValueTask CopyAsync(IEnumerable<IndexSegment> some) => copier.CopyInOrderAsync(
            some.ToAsyncEnumerable().Select(async (IndexSegment s, CancellationToken token) => await primary.Store.FindAsync(s.Name, token).ConfigureAwait(false))
                .Where(i => i is not null).Select(i => i!), null, cancellationToken);
    }

    private async ValueTask CopyRecordsAsync(ReplicaCopier copier, List<ObjectInfo> records, CancellationToken cancellationToken)
    {
        var withoutWitnesses = records.Where(r => !r.Name.StartsWith(WitnessStore.Prefix, StringComparison.Ordinal));
        await copier.CopyInOrderAsync(
            withoutWitnesses.Where(r => !IsSweep(r.Name)).ToAsyncEnumerable(), WithdrawAsync, cancellationToken).ConfigureAwait(false);
        var witnesses = records.Where(r => r.Name.StartsWith(WitnessStore.Prefix, StringComparison.Ordinal)).ToAsyncEnumerable();
        await copier.CopyInOrderAsync(
            witnesses.Where(async (ObjectInfo w, CancellationToken token) =>
                await replica.FindAsync(w.Name[WitnessStore.Prefix.Length..], token).ConfigureAwait(false) is not null),
            async witness =>
            {
                // As whoever makes a witness does: the object may have been removed in between.
                if (await replica.FindAsync(witness.Name[WitnessStore.Prefix.Length..], cancellationToken).ConfigureAwait(false) is null)
                    await replica.DeleteAsync(witness.Name, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);

        // Removed on the primary while it was copied, and the removal perhaps followed already by somebody else: then nobody would again.
        async ValueTask WithdrawAsync(ObjectInfo record)
        {
            if (!record.Name.StartsWith(SnapshotStore.Prefix, StringComparison.Ordinal)
                && !record.Name.StartsWith(SnapshotStore.PinPrefix, StringComparison.Ordinal)) return;
            if (await primary.Store.FindAsync(record.Name, cancellationToken).ConfigureAwait(false) is null)
                await replica.DeleteAsync(record.Name, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>That a mark was carried out is said on the replica when it was carried out there.</summary>
    private static bool IsSweep(string name) =>
        name.StartsWith(Collection.CollectionMarks.Prefix, StringComparison.Ordinal)
        && name.EndsWith(Collection.CollectionMarks.SweptSuffix, StringComparison.Ordinal);
}
