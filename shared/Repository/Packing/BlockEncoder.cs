using System.Buffers.Binary;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Compression.Pcm;

namespace FunctionsBackup.Repository.Packing;

/// <summary>Compresses blocks: sound by its own codec, everything else as configured. One per worker: not for concurrent use.</summary>
internal sealed class BlockEncoder : IDisposable
{
    private readonly CompressionSettings _settings;
    private readonly BlockCompressor? _compressor;
    private readonly PcmCodec? _pcm;

    public BlockEncoder(CompressionSettings settings)
    {
        _settings = settings;
        if (settings.Algorithm == CompressionAlgorithm.None) return;
        _compressor = new BlockCompressor(settings);
        if (settings.Algorithm == CompressionAlgorithm.Zstd) _pcm = new PcmCodec();
    }

    /// <summary>Compresses, or copies where that does not help.</summary>
    /// <param name="plaintext">The chunks, one after another.</param>
    /// <param name="chunks">Their lengths.</param>
    /// <param name="compressible">False: copied without trying.</param>
    /// <param name="destination">At least <see cref="BlockCodec.Bound"/> of the plaintext's length.</param>
    /// <returns>Bytes written to <paramref name="destination"/>.</returns>
    public int Encode(ReadOnlySpan<byte> plaintext, List<PackChunk> chunks, bool compressible, Span<byte> destination)
    {
        var body = destination[PackFormat.BlockHeaderSize..];
        var length = 0;
        if (compressible && _compressor is not null)
        {
            destination[0] = BlockCodec.PcmAlgorithm;
            length = EncodeSound(plaintext, chunks, body);
            if (length == 0)
            {
                destination[0] = (byte)_settings.Algorithm;
                length = _compressor.Compress(plaintext, body);
            }
        }

        if (length == 0)
        {
            destination[0] = (byte)CompressionAlgorithm.None;
            plaintext.CopyTo(body);
            length = plaintext.Length;
        }

        BinaryPrimitives.WriteInt32LittleEndian(destination[1..], plaintext.Length);
        return PackFormat.BlockHeaderSize + length;
    }

    public void Dispose()
    {
        _compressor?.Dispose();
        _pcm?.Dispose();
    }

    private int EncodeSound(ReadOnlySpan<byte> plaintext, List<PackChunk> chunks, Span<byte> body)
    {
        // A block of many chunks is one of small ones: no chunk of it is long enough to be worth a look.
        if (_pcm is null || chunks.Count > PackFormat.BlockTarget / PcmProbe.MinimumLength) return 0;
        Span<int> lengths = stackalloc int[chunks.Count];
        Span<byte> layouts = stackalloc byte[chunks.Count];
        for (var i = 0; i < lengths.Length; i++) lengths[i] = chunks[i].Length;
        return PcmCodec.TryPlan(plaintext, lengths, layouts, _compressor!, body) ? _pcm.Compress(plaintext, lengths, layouts, _compressor!, body) : 0;
    }
}
