using System.Threading.Channels;
using FunctionsBackup.Repository.Buffers;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Compression.Pcm;

namespace FunctionsBackup.Repository.Packing;

/// <summary>
/// Gathers new chunks into blocks and hands full blocks to workers that compress, encrypt and pack them. Callers wait when the workers
/// cannot keep up, so memory is bounded: some three blocks per worker.
/// </summary>
internal sealed class BlockPipeline : IAsyncDisposable
{
    private readonly PackWriter _packs;
    private readonly CompressionSettings _compression;
    private readonly BufferPool _buffers = new(PackFormat.MaximumBlock);
    private readonly Lane[] _lanes = [new(PackKind.Data, true), new(PackKind.Data, false), new(PackKind.Metadata, true)];
    private readonly Channel<Block> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _workers;

    public BlockPipeline(PackWriter packs, CompressionSettings compression, int workers)
    {
        _packs = packs;
        _compression = compression;
        _queue = Channel.CreateBounded<Block>(workers);
        _workers = [.. Enumerable.Range(0, workers).Select(_ => Task.Run(WorkAsync))];
    }

    /// <summary>Adds a chunk that the repository does not have; its bytes are copied before the call returns.</summary>
    public async ValueTask AddAsync(PackKind kind, ChunkId id, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var compressible = kind == PackKind.Metadata
            || (_compression.Algorithm != CompressionAlgorithm.None
                && (!CompressibilityProbe.LooksIncompressible(data.Span)
                    || (_compression.Algorithm == CompressionAlgorithm.Zstd && PcmProbe.Detect(data.Span) is not null)));
        var lane = kind == PackKind.Metadata ? _lanes[2] : compressible ? _lanes[0] : _lanes[1];
        Block? first = null, second = null;
        lock (lane)
        {
            if (lane.Current is { } current && current.Length + data.Length > PackFormat.BlockTarget)
            {
                first = current;
                lane.Current = null;
            }

            var block = lane.Current ??= new Block(lane.Kind, lane.Compressible, _buffers.Rent());
            data.Span.CopyTo(block.Buffer.GetSpan()[block.Length..]);
            block.Length += data.Length;
            block.Chunks.Add(new PackChunk(id, data.Length));
            if (block.Length >= PackFormat.BlockTarget)
            {
                second = block;
                lane.Current = null;
            }
        }

        if (first is not null) await EnqueueAsync(first, cancellationToken).ConfigureAwait(false);
        if (second is not null) await EnqueueAsync(second, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Seals what is left and waits for the workers. Nothing may be added afterwards.</summary>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        foreach (var lane in _lanes)
        {
            Block? block;
            lock (lane)
            {
                block = lane.Current;
                lane.Current = null;
            }

            if (block is not null) await EnqueueAsync(block, cancellationToken).ConfigureAwait(false);
        }

        _queue.Writer.TryComplete();
        await Task.WhenAll(_workers).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _queue.Writer.TryComplete();
        await Task.WhenAll(_workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (_queue.Reader.TryRead(out var block)) _buffers.Return(block.Buffer);
        foreach (var lane in _lanes)
            if (lane.Current is { } block) _buffers.Return(block.Buffer);
        _buffers.Dispose();
        _stop.Dispose();
    }

    private async ValueTask EnqueueAsync(Block block, CancellationToken cancellationToken)
    {
        try
        {
            await _queue.Writer.WriteAsync(block, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _buffers.Return(block.Buffer);
            if (e is ChannelClosedException { InnerException: { } cause }) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private async Task WorkAsync()
    {
        try
        {
            using var encoder = new BlockEncoder(_compression);
            using var scratch = new AlignedBuffer(BlockCodec.Bound(PackFormat.MaximumBlock));
            await foreach (var block in _queue.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                var length = encoder.Encode(block.Buffer.GetSpan()[..block.Length], block.Chunks, block.Compressible, scratch.GetSpan());
                var plainLength = block.Length;
                _buffers.Return(block.Buffer);
                await _packs.AppendAsync(block.Kind, scratch.Memory[..length], plainLength, block.Chunks, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            _queue.Writer.TryComplete(e); // those who add learn it at once
            throw;
        }
    }

    private sealed class Lane(PackKind kind, bool compressible)
    {
        public PackKind Kind { get; } = kind;

        public bool Compressible { get; } = compressible;

        public Block? Current { get; set; }
    }

    private sealed class Block(PackKind kind, bool compressible, AlignedBuffer buffer)
    {
        public PackKind Kind { get; } = kind;

        public bool Compressible { get; } = compressible;

        public AlignedBuffer Buffer { get; } = buffer;

        public int Length { get; set; }

        public List<PackChunk> Chunks { get; } = [];
    }
}
