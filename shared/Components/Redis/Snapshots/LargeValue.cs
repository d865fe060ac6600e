using System.Buffers;
using System.Security.Cryptography;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>A value that is a content of its own, stored while it is read.</summary>
internal sealed class LargeValue(BackupSession session) : IRdbValueSink, IDisposable
{
    private const int ChunkSize = 1 << 20;

    private readonly ContentBuilder _content = session.BuildContent();
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _filled;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        _hash.AppendData(bytes.Span);
        while (!bytes.IsEmpty)
        {
            var length = Math.Min(bytes.Length, ChunkSize - _filled);
            bytes.Span[..length].CopyTo(_buffer.AsSpan(_filled));
            _filled += length;
            bytes = bytes[length..];
            if (_filled < ChunkSize) continue;
            await _content.AddChunkAsync(_buffer.AsMemory(0, _filled), cancellationToken).ConfigureAwait(false);
            _filled = 0;
        }
    }

    /// <summary>The content, and SHA-256 of its bytes.</summary>
    public async ValueTask<(ContentRef Content, byte[] Sha256)> CompleteAsync(CancellationToken cancellationToken)
    {
        await _content.AddChunkAsync(_buffer.AsMemory(0, _filled), cancellationToken).ConfigureAwait(false);
        return (await _content.CompleteAsync(cancellationToken).ConfigureAwait(false), _hash.GetHashAndReset());
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _hash.Dispose();
    }
}
