using System.Reflection;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Reading;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository;

/// <summary>How a repository is used.</summary>
public sealed record RepositoryOptions
{
    public CompressionSettings Compression { get; init; } = CompressionSettings.Default;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>False for callers that only use <see cref="BackupRepository.Sealed"/> and snapshot records: opens faster.</summary>
    public bool LoadIndex { get; init; } = true;

    /// <summary>The keys are the caller's, who opens the repository again with them: they are not wiped with the repository.</summary>
    public bool KeepKeys { get; init; }
}

/// <summary>One chunk to fetch.</summary>
/// <param name="Id">The chunk.</param>
/// <param name="Length">Its plaintext length, bytes.</param>
/// <param name="Target">The caller's own number for where it goes.</param>
/// <param name="Offset">The caller's own offset for where it goes.</param>
/// <param name="Sealed">As <see cref="ContentItem.Sealed"/>: then the chunk comes as it was sealed. 0: as it is.</param>
public readonly record struct ChunkRequest(ChunkId Id, int Length, int Target, long Offset, int Sealed = 0)
{
    internal int PackedLength => Sealed == 0 ? Length : Sealed;
}

/// <summary>An unlocked repository: reads recovery points, and starts sessions that add them. Safe for concurrent use.</summary>
public sealed class BackupRepository : IAsyncDisposable
{
    private readonly ChunkIndex? _index;
    private readonly ChunkFetcher? _fetcher;
    private readonly HasherPool _hashers;
    private readonly UnlockedRepository _unlocked;
    private readonly FastCdc _chunker;
    private readonly CollectionFence _fence;
    private readonly bool _keepKeys;

    private BackupRepository(
        IObjectStore store, RepositoryKeys keys, UnlockedRepository unlocked, FastCdc chunker, RepositoryOptions options, SealedObjects sealedObjects, ChunkIndex? index,
        CollectionFence fence, bool trustsParents)
    {
        Store = store;
        Keys = keys;
        Sealed = sealedObjects;
        Compression = options.Compression;
        Time = options.Time;
        TrustsParents = trustsParents;
        Id = unlocked.Config.RepositoryId;
        _unlocked = unlocked;
        _keepKeys = options.KeepKeys;
        Snapshots = new SnapshotStore(store, sealedObjects, options.Time);
        Points = new RecoveryPointStore(store, sealedObjects);
        Subjects = new SubjectKeys(store, sealedObjects, unlocked.Keys, unlocked.Config.RepositoryId, options.Time);
        SubjectCodecs = new SubjectCodecPool(options.Compression);
        Audit = new AuditChains(store, sealedObjects, unlocked.Keys, unlocked.Config.RepositoryId);
        _hashers = new HasherPool(keys);
        _chunker = chunker;
        _index = index;
        _fence = fence;
        _fetcher = index is null ? null : new ChunkFetcher(store, keys, index, _hashers);
    }

    public static string ProductVersion { get; } =
        "fbackup " + (typeof(BackupRepository).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            .Split('+')[0] ?? "0");

    /// <summary>Whether this host holds a writer file only: it adds recovery points, and reads none.</summary>
    public bool IsWriteOnly => Keys.IsWriteOnly;

    /// <summary>Random, chosen by init: 32 hex digits.</summary>
    public string Id { get; }

    public IObjectStore Store { get; }

    /// <summary>Small self-contained encrypted objects outside the packs: WAL segments, pins, verification results.</summary>
    public SealedObjects Sealed { get; }

    public SnapshotStore Snapshots { get; }

    /// <summary>The records that join snapshots of several components.</summary>
    public RecoveryPointStore Points { get; }

    /// <summary>The keys of data subjects.</summary>
    public SubjectKeys Subjects { get; }

    /// <summary>Who did what: the log that nothing is removed from.</summary>
    public AuditChains Audit { get; }

    internal RepositoryKeys Keys { get; }

    internal SubjectCodecPool SubjectCodecs { get; }

    /// <summary>Config and keys, which stay this repository's.</summary>
    internal UnlockedRepository Unlocked => _unlocked;

    internal CompressionSettings Compression { get; }

    internal TimeProvider Time { get; }

    /// <summary>False when chunks are known to be lost, or a part of the index is: then nothing is taken over from an earlier recovery point unseen.</summary>
    internal bool TrustsParents { get; }

    internal ChunkIndex Index => _index ?? throw new InvalidOperationException("The repository was opened without its index.");

    internal ChunkFetcher Fetcher => _fetcher ?? throw new InvalidOperationException("The repository was opened without its index.");

    internal HasherPool Hashers => _hashers;

    /// <summary>Opens a repository whose keys are unlocked.</summary>
    /// <param name="store">Disposed with the repository.</param>
    /// <param name="unlocked">Disposed with the repository, unless <see cref="RepositoryOptions.KeepKeys"/>.</param>
    /// <param name="options">How it will be used.</param>
    /// <param name="cancellationToken">Stops opening.</param>
    public static async ValueTask<BackupRepository> OpenAsync(
        IObjectStore store, UnlockedRepository unlocked, RepositoryOptions options, CancellationToken cancellationToken)
    {
        var keys = new RepositoryKeys(unlocked.Keys, unlocked.Config.RepositoryId);
        var sealedObjects = new SealedObjects(store, unlocked.Keys, unlocked.Config.RepositoryId);
        var chunker = new FastCdc(new GearTable(unlocked.Keys.ChunkerSecret), unlocked.Config.Chunker);
        if (!options.LoadIndex)
            return new BackupRepository(store, keys, unlocked, chunker, options, sealedObjects, null, CollectionFence.None, false);
        var index = await ChunkIndex.OpenAsync(store, keys, cancellationToken).ConfigureAwait(false);
        var marks = new CollectionMarks(store, sealedObjects);
        var fence = await CollectionFence.OpenAsync(marks, options.Time, cancellationToken).ConfigureAwait(false);
        index.Condemn(fence.CondemnedPacks);
        if (index.Damaged.Count > 0) index.Condemn(await FindAbsentPacksAsync(store, index, cancellationToken).ConfigureAwait(false));
        var trustsParents = index.Damaged.Count == 0 && !keys.IsWriteOnly && !await DamageRecords.AnyAsync(store, cancellationToken).ConfigureAwait(false);
        return new BackupRepository(store, keys, unlocked, chunker, options, sealedObjects, index, fence, trustsParents);
    }

    /// <summary>
    /// What is wrong with the index, one sentence each with the mend. Chunks that only a damaged segment names are stored anew by backups and
    /// lacked by restores.
    /// </summary>
    public IReadOnlyList<string> IndexWarnings => _index is null ? [] :
    [
        .. _index.Damaged.Select(d =>
            $"{d.ObjectName} is damaged and was passed over, so chunks that only it names count as absent; run 'fbackup repository repair'."),
    ];

    /// <summary>Starts adding one recovery point. Nothing is visible before <see cref="BackupSession.CommitAsync"/>.</summary>
    public BackupSession BeginSession(SessionOptions options) => new(this, options, _chunker);

    /// <summary>All committed recovery points, oldest first, optionally of one component.</summary>
    /// <exception cref="DamageException">A record is damaged.</exception>
    public IAsyncEnumerable<Snapshot> ListSnapshotsAsync(string? component, CancellationToken cancellationToken) =>
        Snapshots.ListAsync(component, cancellationToken);

    /// <summary>One recovery point, by its id, a unique beginning of it, or <c>latest</c>.</summary>
    /// <exception cref="SnapshotNotFoundException">None, or more than one, matches.</exception>
    public ValueTask<Snapshot> GetSnapshotAsync(string id, string? component, CancellationToken cancellationToken) =>
        Snapshots.GetAsync(id, component, cancellationToken);

    /// <summary>
    /// The newest recovery point of a component that a new one may build on: accepted by <paramref name="accept"/> and not known to be
    /// damaged. Null: take everything anew.
    /// </summary>
    public async ValueTask<Snapshot?> FindParentAsync(string component, Func<Snapshot, bool> accept, CancellationToken cancellationToken)
    {
        if (!TrustsParents) return null;
        // Not one of a write-only writer: what it says of a file nobody else takes over unseen, and its chunks have ids of their own.
        await foreach (var snapshot in Snapshots.ListNewestFirstAsync(component, cancellationToken).ConfigureAwait(false))
            if (snapshot.Writer is null && accept(snapshot)) return snapshot;
        return null;
    }

    /// <summary>The entries of a recovery point in catalog order, streamed.</summary>
    public IAsyncEnumerable<CatalogEntry> ReadCatalogAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        CatalogReader.ReadAsync(Fetcher, snapshot, cancellationToken);

    /// <summary>
    /// The same from about <paramref name="from"/> on: a few entries before it may come first, and what is before them is not read.
    /// </summary>
    public IAsyncEnumerable<CatalogEntry> ReadCatalogAsync(Snapshot snapshot, ReadOnlyMemory<byte> from, CancellationToken cancellationToken) =>
        CatalogReader.ReadAsync(Fetcher, snapshot, from, cancellationToken);

    /// <summary>The runs of a content in order, streamed (list chunks are fetched as needed).</summary>
    public IAsyncEnumerable<ContentItem> ReadItemsAsync(ContentRef content, CancellationToken cancellationToken) =>
        ContentReader.ReadItemsAsync(Fetcher, content, cancellationToken);

    /// <summary>A content as a forward-only stream: for small files and tests. Bulk restores use <see cref="ReadChunksAsync"/>.</summary>
    public Stream OpenContent(ContentRef content) => new ContentStream(Fetcher, content);

    /// <summary>
    /// Fetches chunks in bulk: sorted by pack, gaps up to 1 MiB read through, several ranged reads in flight, each block decrypted once.
    /// </summary>
    /// <param name="requests">The same chunk may be asked for many times. Keep a batch to some 100,000 requests.</param>
    /// <param name="parallelism">Workers that read, decode and call <paramref name="sink"/>.</param>
    /// <param name="sink">
    /// Called once per request, in no particular order and concurrently, with the verified plaintext, valid only during the call.
    /// </param>
    /// <param name="onDamage">
    /// Called for each request whose chunk is missing or damaged, possibly concurrently; null: the first such chunk throws
    /// <see cref="DamageException"/>.
    /// </param>
    /// <param name="cancellationToken">Stops reading.</param>
    public ValueTask ReadChunksAsync(
        IReadOnlyList<ChunkRequest> requests,
        int parallelism,
        Func<ChunkRequest, ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink,
        Action<ChunkRequest, DamageException>? onDamage,
        CancellationToken cancellationToken) => Fetcher.ReadChunksAsync(requests, parallelism, sink, onDamage, cancellationToken);

    /// <summary>Opens a chunk that was sealed for a data subject, as <see cref="ReadChunksAsync"/> gave it.</summary>
    /// <param name="key">Of the subject.</param>
    /// <param name="stored">The chunk as it lies in its pack.</param>
    /// <param name="length">Its own length, bytes.</param>
    /// <param name="take">Called with its bytes, valid only during the call.</param>
    /// <exception cref="DamageException">The key did not seal it.</exception>
    public void OpenSealed(SubjectKey key, ReadOnlySpan<byte> stored, int length, Action<ReadOnlyMemory<byte>> take)
    {
        var codec = SubjectCodecs.Rent();
        try
        {
            take(codec.Open(key, stored, length));
        }
        catch (InvalidDataException e)
        {
            throw new DamageException(key.Reference.KeyName, $"A chunk cannot be opened with {key.Reference.KeyName}: {e.Message}", e);
        }
        finally
        {
            SubjectCodecs.Return(codec);
        }
    }

    /// <summary>What fetching these chunks would cost: ranged reads and bytes read, from the index alone.</summary>
    public async ValueTask<FetchCost> EstimateAsync(IReadOnlyList<ChunkRequest> requests, CancellationToken cancellationToken)
    {
        var ranges = await FetchPlan.MakeAsync(Index, requests, static (_, _) => { }, cancellationToken).ConfigureAwait(false);
        return new FetchCost(ranges.Count, ranges.Sum(r => (long)r.Length));
    }

    /// <summary>The id that this repository gives to these bytes: for delta restores. Thread-safe.</summary>
    public ChunkId ComputeId(ReadOnlySpan<byte> plaintext)
    {
        using var hasher = _hashers.Rent(Keys.CurrentEpoch);
        return hasher.Compute(plaintext);
    }

    public async ValueTask DisposeAsync()
    {
        _index?.Dispose();
        _hashers.Dispose();
        Subjects.Dispose();
        SubjectCodecs.Dispose();
        if (!_keepKeys) _unlocked.Dispose();
        await Store.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Key objects that are not as they were written, although this repository could be opened.</summary>
    internal async ValueTask<IReadOnlyList<DamageException>> FindKeyDamageAsync(CancellationToken cancellationToken) =>
    [
        .. await KeyCheck.FindDamageAsync(Store, _unlocked.Config, cancellationToken).ConfigureAwait(false),
        .. await WriterCheck.FindDamageAsync(Store, RepositoryScope.Of(_unlocked.Config), _unlocked.Keys.WritersSecret, cancellationToken)
            .ToListAsync(cancellationToken).ConfigureAwait(false),
    ];

    /// <summary>
    /// A segment that was replaced comes back into force if the one that replaced it cannot be read, and may name packs that have gone since.
    /// </summary>
    private static async ValueTask<IReadOnlyList<string>> FindAbsentPacksAsync(
        IObjectStore store, ChunkIndex index, CancellationToken cancellationToken)
    {
        var absent = index.Packs().Select(p => p.Name).ToHashSet();
        await foreach (var info in store.ListAsync(Packing.PackFormat.Prefix, cancellationToken).ConfigureAwait(false)) absent.Remove(info.Name);
        return [.. absent];
    }

    /// <summary>Makes the witnesses that are missing (FORMAT.md §8), of records, pins and key slots.</summary>
    internal async ValueTask AdoptAsync(CancellationToken cancellationToken)
    {
        await Snapshots.Witnesses.AdoptAsync(cancellationToken).ConfigureAwait(false);
        await new SlotWitnesses(Store, _unlocked.Config.KeyGeneration).AdoptAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts lost records, pins and key slots back from their witnesses.</summary>
    internal async ValueTask<(IReadOnlyList<string> PutBack, IReadOnlyList<string> Lost)> MendLostAsync(CancellationToken cancellationToken)
    {
        var (putBack, lost) = await Snapshots.Witnesses.MendAsync(cancellationToken).ConfigureAwait(false);
        var slots = await new SlotWitnesses(Store, _unlocked.Config.KeyGeneration).MendAsync(cancellationToken).ConfigureAwait(false);
        return ([.. putBack, .. slots], lost);
    }

    /// <summary>Records, pins and slots whose loss would not be noticed, by name.</summary>
    internal IAsyncEnumerable<string> FindUnwitnessedAsync(CancellationToken cancellationToken) => Snapshots.Witnesses.FindUnwitnessedAsync(cancellationToken);

    /// <summary>Objects that were lost, by name.</summary>
    internal IAsyncEnumerable<string> FindLostAsync(CancellationToken cancellationToken) => Snapshots.Witnesses.FindLostAsync(cancellationToken)
        .Concat(new SlotWitnesses(Store, _unlocked.Config.KeyGeneration).FindLostAsync(cancellationToken));

    /// <summary>Sees the index segments that others have written since.</summary>
    internal async ValueTask RefreshIndexAsync(CancellationToken cancellationToken)
    {
        await Index.RefreshAsync(cancellationToken).ConfigureAwait(false);
        if (Index.Damaged.Count > 0) Index.Condemn(await FindAbsentPacksAsync(Store, Index, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Whether a session that began when this repository was opened may still commit.</summary>
    internal ValueTask CheckFenceAsync(string? parent, CancellationToken cancellationToken) => _fence.CheckAsync(
        async token => parent is null || await Snapshots.ExistsAsync(parent, token).ConfigureAwait(false), cancellationToken);

    /// <summary>After the record was created: takes it back if what it took over may be gone.</summary>
    /// <exception cref="RepositoryException">It was taken back; the backup must be run again.</exception>
    internal async ValueTask ConfirmAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        if (snapshot.Parent is not { } parent || await _fence.HeldAsync(token => Snapshots.ExistsAsync(parent, token), cancellationToken).ConfigureAwait(false))
            return;
        await Snapshots.TakeBackAsync(snapshot.Id, CancellationToken.None).ConfigureAwait(false);
        throw CollectionFence.ParentGone();
    }
}

/// <summary>Cost of a read.</summary>
/// <param name="Requests">Ranged reads.</param>
/// <param name="Bytes">Bytes they read from the store.</param>
public readonly record struct FetchCost(int Requests, long Bytes);
