using System.Runtime.CompilerServices;
using System.Text.Json;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Runs;

/// <summary>The records of recovery points: <c>points/ID</c>.</summary>
public sealed class RecoveryPointStore
{
    internal const string Prefix = "points/";

    private readonly IObjectStore _store;
    private readonly SealedObjects _sealed;

    internal RecoveryPointStore(IObjectStore store, SealedObjects sealedObjects)
    {
        _store = store;
        _sealed = sealedObjects;
    }

    /// <summary>All ids, oldest first.</summary>
    public IAsyncEnumerable<string> ListIdsAsync(CancellationToken cancellationToken) =>
        _store.ListAsync(Prefix, cancellationToken).Select(i => i.Name[Prefix.Length..]).Where(RunIds.IsRunId);

    /// <summary>All records, oldest first.</summary>
    /// <exception cref="DamageException">One is damaged.</exception>
    public async IAsyncEnumerable<RecoveryPoint> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var id in ListIdsAsync(cancellationToken).ConfigureAwait(false))
            if (await FindAsync(id, cancellationToken).ConfigureAwait(false) is { } point) yield return point;
    }

    /// <summary>The record, or null if there is none.</summary>
    /// <exception cref="DamageException">It is damaged.</exception>
    public async ValueTask<RecoveryPoint?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (!RunIds.IsRunId(id)) return null;
        var name = Prefix + id;
        if (await _sealed.ReadAsync(SealedKind.RecoveryPoint, name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        try
        {
            if (JsonSerializer.Deserialize(content.Body, RunJson.Default.RecoveryPoint) is { } point && point.Id == id)
                return point with { Writer = _sealed.WriterOf(content) };
        }
        catch (JsonException e)
        {
            throw new DamageException(name, $"{name} is damaged: {e.Message}", e);
        }

        throw new DamageException(name, $"{name} is damaged: it is the record of another recovery point.");
    }

    /// <summary>Removes the records whose snapshots are all gone; one that cannot be read stays.</summary>
    /// <param name="gone">Snapshots that count as gone although they are there, for a dry run.</param>
    /// <param name="dryRun">Only count.</param>
    /// <param name="snapshots">The snapshots of the repository.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>How many went, or would.</returns>
    public async ValueTask<int> PruneAsync(
        Snapshots.SnapshotStore snapshots, IReadOnlySet<string> gone, bool dryRun, CancellationToken cancellationToken)
    {
        // The records first: the snapshots of one that is committed meanwhile are there before it.
        var points = new List<RecoveryPoint>();
        await foreach (var id in ListIdsAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                if (await FindAsync(id, cancellationToken).ConfigureAwait(false) is { } point) points.Add(point);
            }
            catch (DamageException)
            {
                continue; // verification names it
            }
        }

        var there = await snapshots.ListIdsAsync(null, cancellationToken).Where(i => !gone.Contains(i)).ToHashSetAsync(null, cancellationToken)
            .ConfigureAwait(false);
        await foreach (var lost in snapshots.ListLostAsync(cancellationToken).ConfigureAwait(false)) there.Add(lost);
        var removed = 0;
        foreach (var point in points.Where(p => !p.Components.Any(c => c.SnapshotId is { } id && there.Contains(id))))
        {
            try
            {
                if (!dryRun) await _store.DeleteAsync(Prefix + point.Id, cancellationToken).ConfigureAwait(false);
                removed++;
            }
            catch (ObjectLockedException)
            {
                continue; // a few bytes, which another run removes
            }
        }

        return removed;
    }

    internal async ValueTask<bool> CreateAsync(RecoveryPoint point, CancellationToken cancellationToken) =>
        await _sealed.CreateAsync(
            SealedKind.RecoveryPoint, Prefix + point.Id, default, JsonSerializer.SerializeToUtf8Bytes(point, RunJson.Default.RecoveryPoint),
            cancellationToken).ConfigureAwait(false);
}
