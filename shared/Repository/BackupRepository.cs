#pragma warning disable CA1822, CA1065 // contracts first; bodies follow
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository;

/// <summary>An unlocked repository: reads recovery points, and starts sessions that add them. Safe for concurrent use.</summary>
public sealed class BackupRepository : IAsyncDisposable
{
    /// <summary>Random, chosen by init: 32 hex digits.</summary>
    public string Id => throw new NotImplementedException();

    public IObjectStore Store => throw new NotImplementedException();

    /// <summary>Small self-contained encrypted objects outside the packs: WAL segments, pins, verification results.</summary>
    public SealedObjects Sealed => throw new NotImplementedException();

    /// <summary>Starts adding one recovery point. Nothing is visible before <see cref="BackupSession.CommitAsync"/>.</summary>
    public BackupSession BeginSession(SessionOptions options) => throw new NotImplementedException();

    /// <summary>All committed recovery points, oldest first, optionally of one component.</summary>
    public IAsyncEnumerable<Snapshot> ListSnapshotsAsync(string? component, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>One recovery point, by its id, a unique beginning of it, or <c>latest</c>.</summary>
    /// <exception cref="SnapshotNotFoundException">None, or more than one, matches.</exception>
    public ValueTask<Snapshot> GetSnapshotAsync(string id, string? component, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The entries of a recovery point in catalog order, streamed.</summary>
    public IAsyncEnumerable<CatalogEntry> ReadCatalogAsync(Snapshot snapshot, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The runs of a content in order, streamed (list chunks are fetched as needed).</summary>
    public IAsyncEnumerable<ContentItem> ReadItemsAsync(ContentRef content, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>A content as a forward-only stream: for catalogs, small files and tests. Bulk restores use <see cref="ReadChunksAsync"/>.</summary>
    public Stream OpenContent(ContentRef content) => throw new NotImplementedException();

    /// <summary>
    /// Fetches chunks in bulk: sorted by pack, gaps up to 1 MiB read through, several ranged reads in flight, each block decrypted once.
    /// </summary>
    /// <param name="requests">The same chunk may be asked for many times. Keep a batch to some 100,000 requests.</param>
    /// <param name="parallelism">Workers that read, decode and call <paramref name="sink"/>.</param>
    /// <param name="sink">
    /// Called once per request, in no particular order and concurrently, with the verified plaintext, valid only during the call.
    /// </param>
    /// <param name="onDamage">
    /// Called for each request whose chunk is missing or damaged; null: the first such chunk throws <see cref="DamageException"/>.
    /// </param>
    /// <param name="cancellationToken">Stops reading.</param>
    public ValueTask ReadChunksAsync(
        IReadOnlyList<ChunkRequest> requests,
        int parallelism,
        Func<ChunkRequest, ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink,
        Action<ChunkRequest, DamageException>? onDamage,
        CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The id that this repository gives to these bytes: for delta restores. Thread-safe.</summary>
    public ChunkId ComputeId(ReadOnlySpan<byte> plaintext) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>One chunk to fetch.</summary>
/// <param name="Id">The chunk.</param>
/// <param name="Length">Its plaintext length, bytes.</param>
/// <param name="Target">The caller's own number for where it goes.</param>
/// <param name="Offset">The caller's own offset for where it goes.</param>
public readonly record struct ChunkRequest(ChunkId Id, int Length, int Target, long Offset);
