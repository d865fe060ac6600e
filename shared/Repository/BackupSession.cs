using System.Text.Json.Nodes;
using FunctionsBackup.Repository.Buffers;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Repository;

/// <summary>What a session is for.</summary>
/// <param name="Component">The component's name in the configuration.</param>
/// <param name="Parallelism">Workers that compress and encrypt, and uploads in flight.</param>
public sealed record SessionOptions(string Component, int Parallelism)
{
    /// <summary>The unit of a run that the session is: its end makes a part of the run, not a recovery point. Null: a recovery point.</summary>
    public RunUnit? Unit { get; init; }
}

/// <summary>
/// What the component adds to the record. The parent must be named if any content was taken over from it: the commit makes sure that it
/// still keeps them.
/// </summary>
public sealed record SnapshotDraft(string Kind, string? Parent, DateTimeOffset StartedAt, IReadOnlyList<string> Warnings, JsonObject? Details)
{
    /// <summary>For a unit of a run: files that have names outside its piece of the catalog.</summary>
    public IReadOnlyList<PartLink> Links { get; init; } = [];
}

/// <summary>
/// Adds one recovery point. Contents may be stored concurrently; chunks that the repository already has are only counted. Packs are
/// written on the way, then index segments, and at last the snapshot record, whose creation is the commit. Disposing without a commit
/// leaves unreferenced objects at most.
/// </summary>
public sealed class BackupSession : IAsyncDisposable
{
    private readonly BackupRepository _repository;
    private readonly SessionOptions _options;
    private readonly PendingChunks _pending = new();
    private readonly SegmentWriter _segments;
    private readonly PackWriter _packs;
    private readonly BlockPipeline _pipeline;
    private readonly BufferPool _buffers = new(ContentStore.BufferSize);
    private readonly FastCdc _chunker;
    private long _readBytes, _newBytes, _newChunks;
    private Task _witness = Task.CompletedTask;
    private bool _committed;
    private Exception? _failure;

    internal BackupSession(BackupRepository repository, SessionOptions options, FastCdc chunker)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Parallelism);
        if (!SnapshotStore.IsComponentName(options.Component))
            throw new ArgumentException($"'{options.Component}' cannot name a component: use letters, digits, '_' and '-'.", nameof(options));
        if (options.Unit is not null && options.Unit.Repository != repository)
            throw new ArgumentException("The unit joined its run with another repository.", nameof(options));
        _repository = repository;
        _options = options;
        _chunker = chunker;
        _segments = new SegmentWriter(repository.Index, _pending);
        _packs = new PackWriter(repository.Store, repository.Keys, options.Parallelism, _segments.AddAsync);
        _pipeline = new BlockPipeline(_packs, repository.Compression, options.Parallelism);
        Catalog = new CatalogWriter(new ContentBuilder(this, PackKind.Metadata));
    }

    /// <summary>Writes the catalog. One per session; entries must come in <see cref="CatalogOrder"/>.</summary>
    public CatalogWriter Catalog { get; }

    /// <summary>Bytes that <see cref="StoreAsync"/> got from its sources so far.</summary>
    public long ReadBytes => Interlocked.Read(ref _readBytes);

    /// <summary>Bytes of chunks so far that the repository did not have, before compression.</summary>
    public long NewBytes => Interlocked.Read(ref _newBytes);

    /// <summary>Stores all that <paramref name="source"/> gives. The bytes are durable only after the commit.</summary>
    public async ValueTask<ContentRef> StoreAsync(IContentSource source, ContentOptions options, CancellationToken cancellationToken)
    {
        if (options.FixedChunkSize is < 0 or > ContentLimits.MaximumChunkSize)
            throw new ArgumentOutOfRangeException(nameof(options), options.FixedChunkSize, "Not a possible chunk size.");
        var buffer = _buffers.Rent();
        try
        {
            return await new ContentStore(this, _chunker, options, buffer.Memory).StoreAsync(source, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _buffers.Return(buffer);
        }
    }

    /// <summary>For callers that cut chunks themselves, or take over chunks of an earlier recovery point.</summary>
    public ContentBuilder BuildContent() => new(this, PackKind.Data);

    /// <summary>Counts bytes that a caller of <see cref="BuildContent"/> read from the source.</summary>
    public void CountRead(long bytes) => Interlocked.Add(ref _readBytes, bytes);

    /// <summary>
    /// Makes the recovery point visible: all or nothing. Of a unit it makes the part instead, and gives back what its snapshot would be alone.
    /// </summary>
    /// <exception cref="RepositoryException">
    /// The session ran longer than the grace time of garbage collection, so that chunks it relies on may be gone.
    /// </exception>
    public async ValueTask<Snapshot> CommitAsync(SnapshotDraft draft, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_committed, this);
        _committed = true;
        var catalog = await Catalog.CompleteAsync(cancellationToken).ConfigureAwait(false);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        if (_options.Unit is null) await _repository.CheckFenceAsync(draft.Parent, cancellationToken).ConfigureAwait(false);
        var completedAt = _repository.Time.GetUtcNow();
        var snapshot = new Snapshot
        {
            Id = _options.Unit is { } unit
                ? RunIds.SnapshotId(unit.Run.Token, _options.Component)
                : SnapshotStore.NewId(draft.StartedAt, _options.Component),
            Component = _options.Component,
            Kind = draft.Kind,
            Parent = draft.Parent,
            StartedAt = draft.StartedAt,
            CompletedAt = completedAt,
            Host = Environment.MachineName,
            WrittenBy = BackupRepository.ProductVersion,
            Catalog = catalog,
            Warnings = [.. draft.Warnings, .. _repository.IndexWarnings],
            Details = draft.Details,
            Statistics = new SnapshotStatistics
            {
                Entries = Catalog.Entries,
                Files = Catalog.Files,
                LogicalBytes = Catalog.LogicalBytes,
                ReadBytes = ReadBytes,
                NewBytes = NewBytes,
                NewChunks = Interlocked.Read(ref _newChunks),
                StoredBytes = StoredBytes,
            },
        };
        if (_options.Unit is { } part)
        {
            await BackupRuns.CreatePartAsync(_repository, ToPart(part, snapshot, draft.Links), cancellationToken).ConfigureAwait(false);
            return snapshot;
        }

        await _repository.Snapshots.CommitAsync(snapshot, cancellationToken).ConfigureAwait(false);
        await _repository.ConfirmAsync(snapshot, CancellationToken.None).ConfigureAwait(false);
        _witness = _repository.Snapshots.WitnessAsync(snapshot); // the recovery point need not wait for it
        return snapshot;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _witness.ConfigureAwait(false);
        }
        finally
        {
            await _pipeline.DisposeAsync().ConfigureAwait(false);
            await _packs.DisposeAsync().ConfigureAwait(false);
            _segments.Dispose();
            _buffers.Dispose();
        }
    }

    /// <summary>Bytes added to the store so far: packs and index segments.</summary>
    internal long StoredBytes => _packs.StoredBytes + _segments.StoredBytes;

    /// <summary>Makes all chunks durable and findable, without a recovery point. Nothing may be stored afterwards.</summary>
    /// <exception cref="RepositoryException">A chunk that contents of this session rely on could not be stored.</exception>
    internal async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _failure) is { } failure)
            throw new RepositoryException("Storing a chunk was broken off, so nothing was committed; run the backup again.", failure);
        await _pipeline.CompleteAsync(cancellationToken).ConfigureAwait(false);
        await _packs.FlushAsync(cancellationToken).ConfigureAwait(false);
        await _segments.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (!_pending.IsEmpty)
            throw new RepositoryException("Chunks were taken in that are in no pack, so nothing was committed; run the backup again.");
    }

    internal SubjectCodecPool SubjectCodecs => _repository.SubjectCodecs;

    internal ChunkId ComputeId(ReadOnlySpan<byte> plaintext) => _repository.ComputeId(plaintext);

    /// <summary>Takes a chunk in, unless the repository or this session has it.</summary>
    internal async ValueTask StoreChunkAsync(PackKind kind, ChunkId id, ReadOnlyMemory<byte> plaintext, CancellationToken cancellationToken)
    {
        if (_pending.Contains(id)) return;
        if (await _repository.Index.IsUsableAsync(id, cancellationToken).ConfigureAwait(false)) return;
        if (!_pending.TryAdd(id)) return;
        Interlocked.Add(ref _newBytes, plaintext.Length);
        Interlocked.Increment(ref _newChunks);
        try
        {
            await _pipeline.AddAsync(kind, id, plaintext, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Other contents may rely on this chunk already, and a whole block of theirs may have gone with it.
            Interlocked.CompareExchange(ref _failure, e, null);
            throw;
        }
    }

    private static RunPart ToPart(RunUnit unit, Snapshot snapshot, IReadOnlyList<PartLink> links) => new()
    {
        RunId = unit.Run.Token.RunId,
        Unit = unit.Name,
        Component = snapshot.Component,
        Kind = snapshot.Kind,
        Parent = snapshot.Parent,
        StartedAt = snapshot.StartedAt,
        CompletedAt = snapshot.CompletedAt,
        Host = snapshot.Host,
        Catalog = snapshot.Catalog,
        Statistics = snapshot.Statistics,
        Warnings = snapshot.Warnings,
        Links = links,
        Details = snapshot.Details,
    };

    internal ParentCursor FollowParent(ContentOptions options) => new(
        options.Parent is null || !_repository.TrustsParents ? null : _repository.ReadItemsAsync(options.Parent, CancellationToken.None),
        aligned: options.FixedChunkSize > 0);
}
