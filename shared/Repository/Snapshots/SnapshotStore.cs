using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using FunctionsBackup.Repository.Removals;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Witnesses;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Snapshots;

/// <summary>The records of recovery points, and their pins. Creating a record is the commit; deleting it makes the recovery point go.</summary>
public sealed class SnapshotStore
{
    internal const string Prefix = "snapshots/";
    internal const string PinPrefix = "pins/";

    private readonly IObjectStore _store;
    private readonly SealedObjects _sealed;
    private readonly WitnessStore _witnesses;
    private readonly RemovalRecords _removals;
    private readonly TimeProvider _time;

    internal SnapshotStore(IObjectStore store, SealedObjects sealedObjects, TimeProvider time)
    {
        _store = store;
        _sealed = sealedObjects;
        _time = time;
        _witnesses = new WitnessStore(store, sealedObjects);
        _removals = new RemovalRecords(store, sealedObjects);
    }

    internal WitnessStore Witnesses => _witnesses;

    /// <summary>A new id. It sorts by time also within a second: its last part is the fraction of the second, and random digits.</summary>
    public static string NewId(DateTimeOffset time, string component) => NewId(time, component, RandomNumberGenerator.GetBytes(2));

    /// <summary>The same with the last two bytes given.</summary>
    internal static string NewId(DateTimeOffset time, string component, ReadOnlySpan<byte> last)
    {
        var fraction = time.UtcTicks % TimeSpan.TicksPerSecond * 0x10000 / TimeSpan.TicksPerSecond;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{time.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{component}-{fraction:x4}{Convert.ToHexStringLower(last)}");
    }

    /// <summary>Whether ids of recovery points can carry this name: 1 to 64 letters, digits, <c>_</c> and <c>-</c>.</summary>
    public static bool IsComponentName(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    /// <summary>The component that an id names, or null if it is no id.</summary>
    public static string? ComponentOf(string id) =>
        id.Length > 26 && id[16] == '-' && id[^9] == '-' ? id[17..^9] : null;

    /// <summary>The ids of all recovery points, oldest first, without reading their records.</summary>
    public async IAsyncEnumerable<string> ListIdsAsync(string? component, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var info in _store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            var id = info.Name[Prefix.Length..];
            if (ComponentOf(id) is { } its && (component is null || component == its)) yield return id;
        }
    }

    /// <exception cref="DamageException">A record is damaged.</exception>
    public async IAsyncEnumerable<Snapshot> ListAsync(string? component, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var id in ListIdsAsync(component, cancellationToken).ConfigureAwait(false))
            if (await FindAsync(id, cancellationToken).ConfigureAwait(false) is { } snapshot) yield return snapshot;
    }

    /// <summary>Those that can be read: for finding a parent, which a damaged record must not prevent.</summary>
    public async IAsyncEnumerable<Snapshot> ListNewestFirstAsync(string? component, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ids = await ListIdsAsync(component, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        ids.Reverse();
        foreach (var id in ids)
        {
            Snapshot? snapshot;
            try
            {
                snapshot = await FindAsync(id, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException)
            {
                continue; // verification names it
            }

            if (snapshot is not null) yield return snapshot;
        }
    }

    /// <inheritdoc cref="BackupRepository.GetSnapshotAsync"/>
    public async ValueTask<Snapshot> GetAsync(string id, string? component, CancellationToken cancellationToken)
    {
        var what = component is null ? "recovery point" : $"recovery point of {component}";
        var ids = await ListIdsAsync(component, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        var matching = id == "latest" ? [.. ids.TakeLast(1)] : ids.Where(i => i.StartsWith(id, StringComparison.Ordinal)).ToList();
        if (id.Length == 0 || matching.Count == 0)
        {
            if (await FindLostAsync(id, component, cancellationToken).ConfigureAwait(false) is { } lost) throw LostObject.Describe(lost);
            throw new SnapshotNotFoundException(
                id == "latest" ? $"There is no {what} yet; run 'fbackup backup run'." : $"There is no {what} '{id}'; 'fbackup backup list' shows them.");
        }

        if (matching.Count > 1 && !matching.Contains(id))
            throw new SnapshotNotFoundException($"'{id}' fits {matching.Count} recovery points; give more of the id.");
        return await FindAsync(matching.Contains(id) ? id : matching[0], cancellationToken).ConfigureAwait(false)
            ?? throw new SnapshotNotFoundException($"The {what} '{id}' has just been removed; 'fbackup backup list' shows what is there.");
    }

    /// <summary>Removes the record: the recovery point is gone, its chunks are freed by garbage collection.</summary>
    /// <returns>False if it was not there.</returns>
    /// <exception cref="ObjectLockedException">The record is locked.</exception>
    public async ValueTask<bool> DeleteAsync(string id, CancellationToken cancellationToken) =>
        await DeleteAsync([id], cancellationToken).ConfigureAwait(false) > 0;

    /// <summary>Removes records and their pins. That it was on purpose is written down first, for the replicas.</summary>
    /// <returns>How many were there.</returns>
    /// <exception cref="ObjectLockedException">One is locked: those before it are gone.</exception>
    public async ValueTask<int> DeleteAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        foreach (var name in ids.SelectMany(id => new[] { Prefix + id, PinPrefix + id }))
            if (await _witnesses.IsKnownAsync(name, cancellationToken).ConfigureAwait(false)) names.Add(name);
        await _removals.AddAsync(names, _time, cancellationToken).ConfigureAwait(false);
        var deleted = 0;
        foreach (var id in ids)
        {
            if (await _witnesses.RemoveAsync(Prefix + id, cancellationToken).ConfigureAwait(false)) deleted++;
            await _witnesses.RemoveAsync(PinPrefix + id, cancellationToken).ConfigureAwait(false);
        }

        return deleted;
    }

    /// <summary>When the locks on the record have ended; null: it is not locked.</summary>
    public async ValueTask<DateTimeOffset?> FindLockAsync(string id, CancellationToken cancellationToken)
    {
        if (_store is not ILockingStore { Lock: not null } locking) return null;
        var record = await locking.FindLockAsync(Prefix + id, cancellationToken).ConfigureAwait(false);
        var witness = await locking.FindLockAsync(WitnessStore.NameOf(Prefix + id), cancellationToken).ConfigureAwait(false);
        return record?.Until > witness?.Until || witness is null ? record?.Until : witness.Until;
    }

    /// <summary>Takes back a record that was made a moment ago and must not count, locked or not.</summary>
    internal ValueTask TakeBackAsync(string id, CancellationToken cancellationToken) => _witnesses.TakeBackAsync(Prefix + id, cancellationToken);

    /// <summary>Keeps a recovery point whatever retention says. Pinning twice is not an error.</summary>
    /// <param name="id">The whole id of an existing recovery point.</param>
    /// <param name="reason">For people.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask PinAsync(string id, string reason, CancellationToken cancellationToken)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(reason);
        await _sealed.CreateAsync(SealedKind.Pin, PinPrefix + id, header, default, cancellationToken).ConfigureAwait(false);
        await _witnesses.AddAsync(PinPrefix + id, header, default, cancellationToken).ConfigureAwait(false);
    }

    /// <returns>False if it was not pinned.</returns>
    public async ValueTask<bool> UnpinAsync(string id, CancellationToken cancellationToken)
    {
        if (!await _witnesses.IsKnownAsync(PinPrefix + id, cancellationToken).ConfigureAwait(false)) return false;
        await _removals.AddAsync([PinPrefix + id], _time, cancellationToken).ConfigureAwait(false);
        return await _witnesses.RemoveAsync(PinPrefix + id, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The ids of all pinned recovery points. A pin counts by its name and by that of its witness: neither damage nor loss of the pin unpins.
    /// </summary>
    public async ValueTask<IReadOnlySet<string>> ListPinsAsync(CancellationToken cancellationToken) =>
        await _store.ListAsync(PinPrefix, cancellationToken).Select(i => i.Name).Concat(_witnesses.ListAsync(PinPrefix, cancellationToken))
            .Select(name => name[PinPrefix.Length..]).ToHashSetAsync(null, cancellationToken).ConfigureAwait(false);

    /// <summary>The ids of recovery points whose record was lost: nobody removed it, and it is not there.</summary>
    public IAsyncEnumerable<string> ListLostAsync(CancellationToken cancellationToken) =>
        _witnesses.FindLostAsync(cancellationToken).Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => n[Prefix.Length..]);

    /// <summary>For those who are about to remove something that a lost recovery point may need.</summary>
    /// <exception cref="DamageException">The record of a recovery point was lost.</exception>
    public async ValueTask EnsureNoneLostAsync(CancellationToken cancellationToken)
    {
        await foreach (var id in ListLostAsync(cancellationToken).ConfigureAwait(false)) throw LostObject.RefuseRemoval(Prefix + id);
    }

    /// <summary>Whether there is a record, without reading it.</summary>
    public async ValueTask<bool> ExistsAsync(string id, CancellationToken cancellationToken) =>
        await _store.FindAsync(Prefix + id, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>The record, or null if there is none.</summary>
    /// <exception cref="DamageException">It is damaged.</exception>
    public async ValueTask<Snapshot?> FindAsync(string id, CancellationToken cancellationToken)
    {
        var name = Prefix + id;
        if (await _sealed.ReadAsync(SealedKind.Snapshot, name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        try
        {
            var snapshot = JsonSerializer.Deserialize(content.Body, SnapshotJson.Default.Snapshot);
            if (snapshot is not null && snapshot.Id == id && snapshot.Component == ComponentOf(id))
                return _sealed.WriterOf(content) is { } writer ? snapshot with { Writer = writer } : snapshot;
        }
        catch (JsonException e)
        {
            throw new DamageException(name, $"{name} is damaged: {e.Message}", e);
        }

        throw new DamageException(name, $"{name} is damaged: it is the record of another recovery point.");
    }

    internal async ValueTask CommitAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        if (!await TryCommitAsync(snapshot, cancellationToken).ConfigureAwait(false))
            throw new RepositoryException($"Recovery point {snapshot.Id} exists already; run the backup again.");
    }

    /// <summary>False: there is a record of that id.</summary>
    internal ValueTask<bool> TryCommitAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(snapshot, SnapshotJson.Default.Snapshot);
        return _sealed.CreateAsync(SealedKind.Snapshot, Prefix + snapshot.Id, default, body, cancellationToken);
    }

    /// <summary>Makes the witness of a record that was committed just now. Whoever commits waits for it only when it has nothing else to do.</summary>
    internal async Task WitnessAsync(Snapshot snapshot)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(snapshot, SnapshotJson.Default.Snapshot);
        try
        {
            await _witnesses.AddAsync(Prefix + snapshot.Id, default, body, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // The recovery point is committed all the same; the next prune makes its witness.
        }
    }

    /// <summary>The name of a lost record that is meant by an id, its beginning, or <c>latest</c>.</summary>
    private async ValueTask<string?> FindLostAsync(string id, string? component, CancellationToken cancellationToken)
    {
        if (id.Length == 0) return null;
        var lost = await ListLostAsync(cancellationToken).LastOrDefaultAsync(
            l => (component is null || ComponentOf(l) == component) && (id == "latest" || l.StartsWith(id, StringComparison.Ordinal)),
            cancellationToken).ConfigureAwait(false);
        return lost is null ? null : Prefix + lost;
    }
}
