using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Reading;

/// <summary>
/// Reads chunks back: few ranged requests, each block decrypted once, every chunk checked against its id. A pack that is missing may have
/// been collected since the index was read, after its chunks were copied: then the index is looked at again.
/// </summary>
internal sealed class ChunkFetcher(IObjectStore store, RepositoryKeys keys, ChunkIndex index, HasherPool hashers)
{
    /// <summary>Where everything is missing, the index says the same every time.</summary>
    private const int MaximumLooks = 64;

    private readonly ConcurrentDictionary<string, bool> _missing = new();
    private int _looks;

    /// <summary>One chunk, for catalogs and lists.</summary>
    /// <exception cref="DamageException">It is missing or damaged.</exception>
    public async ValueTask<byte[]> ReadChunkAsync(ChunkId id, int length, CancellationToken cancellationToken)
    {
        byte[]? result = null;
        await ReadChunksAsync(
            [new ChunkRequest(id, length, 0, 0)], 1,
            (_, data, _) =>
            {
                result = data.ToArray();
                return ValueTask.CompletedTask;
            },
            null, cancellationToken).ConfigureAwait(false);
        return result!;
    }

    /// <inheritdoc cref="BackupRepository.ReadChunksAsync"/>
    public async ValueTask ReadChunksAsync(
        IReadOnlyList<ChunkRequest> requests,
        int parallelism,
        Func<ChunkRequest, ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink,
        Action<ChunkRequest, DamageException>? onDamage,
        CancellationToken cancellationToken)
    {
        var ranges = await FetchPlan.MakeAsync(index, requests, onDamage, cancellationToken).ConfigureAwait(false);
        if (ranges.Count == 1 || parallelism == 1)
        {
            using var worker = new Worker(this, sink, onDamage);
            foreach (var range in ranges) await worker.ReadAsync(range, cancellationToken).ConfigureAwait(false);
            return;
        }

        var queue = Channel.CreateUnbounded<FetchRange>();
        foreach (var range in ranges) queue.Writer.TryWrite(range);
        queue.Writer.Complete();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, Math.Min(parallelism, ranges.Count)).Select(_ => Task.Run(async () =>
        {
            using var worker = new Worker(this, sink, onDamage);
            try
            {
                while (queue.Reader.TryRead(out var range)) await worker.ReadAsync(range, stop.Token).ConfigureAwait(false);
            }
            catch
            {
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }, CancellationToken.None))).ConfigureAwait(false);
    }

    /// <summary>One reader with its buffers.</summary>
    private sealed class Worker(
        ChunkFetcher owner,
        Func<ChunkRequest, ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink,
        Action<ChunkRequest, DamageException>? onDamage) : IDisposable
    {
        private readonly BlockDecompressor _decompressor = new();
        private readonly byte[] _plain = ArrayPool<byte>.Shared.Rent(PackFormat.MaximumBlock);
        private byte[] _stored = [];

        public async ValueTask ReadAsync(FetchRange range, CancellationToken cancellationToken)
        {
            if (_stored.Length < range.Length)
            {
                if (_stored.Length > 0) ArrayPool<byte>.Shared.Return(_stored);
                _stored = ArrayPool<byte>.Shared.Rent(range.Length);
            }

            PackCipher cipher;
            int read;
            var copy = (owner.Store as ICopies)?.CopyOf(range.Pack.Name) ?? 0;
            try
            {
                await owner.Keys.MeetEpochAsync(owner.Store, range.Pack.Epoch, cancellationToken).ConfigureAwait(false);
                cipher = PackReader.OpenCipher(owner.Keys, range.Pack);
                read = await owner.Store.ReadAsync(range.Pack.Name, range.Offset, _stored.AsMemory(0, range.Length), cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (ObjectNotFoundException e)
            {
                await ReadElsewhereAsync(range, Missing(range.Pack.Name, e), cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (DamageException e)
            {
                Fail(range.Blocks, e);
                return;
            }

            using (cipher)
                foreach (var block in range.Blocks)
                    await ReadBlockAsync(range, block, copy, read, cipher, cancellationToken).ConfigureAwait(false);
        }

        public void Dispose()
        {
            _decompressor.Dispose();
            ArrayPool<byte>.Shared.Return(_plain);
            if (_stored.Length > 0) ArrayPool<byte>.Shared.Return(_stored);
        }

        private async ValueTask ReadElsewhereAsync(FetchRange range, DamageException missing, CancellationToken cancellationToken)
        {
            await owner.NoteMissingAsync(range.Pack.Name, cancellationToken).ConfigureAwait(false);
            var requests = range.Blocks.SelectMany(b => b.Pieces).Select(p => p.Request).ToList();
            var others = await FetchPlan.MakeAsync(owner.Index, requests, (request, _) => Fail(request, missing), cancellationToken).ConfigureAwait(false);
            foreach (var other in others)
            {
                if (owner._missing.ContainsKey(other.Pack.Name)) Fail(other.Blocks, missing);
                else await ReadAsync(other, cancellationToken).ConfigureAwait(false);
            }
        }

        private async ValueTask ReadBlockAsync(
            FetchRange range, FetchBlock block, int copy, int read, PackCipher cipher, CancellationToken cancellationToken)
        {
            var name = range.Pack.Name;
            var at = (int)(block.Info.Offset - range.Offset);
            var plain = _plain.AsMemory(0, block.Info.PlainLength);
            try
            {
                if (at + block.Info.StoredLength > read)
                    throw new DamageException(name, $"{name} is damaged: it ends too early; run 'fbackup repository repair'.");
                BlockCodec.Decode(name, cipher, block.Info.Offset, _stored.AsSpan(at, block.Info.StoredLength), _decompressor, plain.Span);
            }
            catch (DamageException e)
            {
                if (await ReadOtherCopyAsync(range.Pack, block.Info, copy, e, cipher, plain, cancellationToken).ConfigureAwait(false) is { } damage)
                {
                    Fail([block], damage);
                    return;
                }
            }

            using var hasher = owner.Hashers.Rent(range.Pack.Epoch);
            ChunkId verified = default;
            foreach (var piece in block.Pieces)
            {
                if (piece.OffsetInBlock + (long)piece.Request.PackedLength > plain.Length)
                {
                    Fail(piece.Request, new DamageException(
                        name, $"The index is wrong about chunk {piece.Request.Id} in {name}; run 'fbackup repository repair'."));
                    continue;
                }

                var chunk = plain.Slice(piece.OffsetInBlock, piece.Request.PackedLength);
                if (piece.Request.Id != verified && hasher.Compute(chunk.Span) != piece.Request.Id)
                {
                    Fail(piece.Request, new DamageException(
                        name, $"Chunk {piece.Request.Id} in {name} is not what was stored; run 'fbackup repository repair'."));
                    continue;
                }

                verified = piece.Request.Id;
                await sink(piece.Request, chunk, cancellationToken).ConfigureAwait(false);
            }
        }

        /// <summary>The block alone from another copy of the pack, where there is one.</summary>
        /// <returns>Null: it is in <paramref name="plain"/>; otherwise what is wrong with the last copy.</returns>
        private async ValueTask<DamageException?> ReadOtherCopyAsync(
            PackInfo pack, IndexBlock block, int copy, DamageException damage, PackCipher cipher, Memory<byte> plain, CancellationToken cancellationToken)
        {
            if (owner.Store is not ICopies copies) return damage;
            var stored = ArrayPool<byte>.Shared.Rent(block.StoredLength);
            try
            {
                while (await copies.TryNextCopyAsync(pack.Name, copy, damage.Message, cancellationToken).ConfigureAwait(false))
                {
                    copy = copies.CopyOf(pack.Name);
                    var bytes = stored.AsMemory(0, block.StoredLength);
                    try
                    {
                        if (await owner.Store.ReadAsync(pack.Name, block.Offset, bytes, cancellationToken).ConfigureAwait(false) != bytes.Length)
                            throw new DamageException(pack.Name, $"{pack.Name} is damaged: it ends too early; run 'fbackup repository repair'.");
                        BlockCodec.Decode(pack.Name, cipher, block.Offset, bytes.Span, _decompressor, plain.Span);
                        return null;
                    }
                    catch (DamageException e)
                    {
                        damage = e;
                    }
                }

                return damage;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(stored);
            }
        }

        private void Fail(IEnumerable<FetchBlock> blocks, DamageException damage)
        {
            foreach (var block in blocks)
                foreach (var piece in block.Pieces)
                    Fail(piece.Request, damage);
        }

        private void Fail(ChunkRequest request, DamageException damage)
        {
            if (onDamage is null) throw damage;
            onDamage(request, damage);
        }

        private static DamageException Missing(string name, Exception inner) =>
            new(name, $"{name} is missing from the repository; run 'fbackup repository repair' to see what it touches.", inner);
    }

    /// <summary>From now on another place is preferred, and nothing new relies on this one.</summary>
    private async ValueTask NoteMissingAsync(string pack, CancellationToken cancellationToken)
    {
        if (!_missing.TryAdd(pack, true)) return;
        index.Condemn([pack]);
        if (Interlocked.Increment(ref _looks) <= MaximumLooks) await index.RefreshAsync(cancellationToken).ConfigureAwait(false);
    }

    private IObjectStore Store => store;

    private ChunkIndex Index => index;

    private RepositoryKeys Keys => keys;

    private HasherPool Hashers => hashers;
}
