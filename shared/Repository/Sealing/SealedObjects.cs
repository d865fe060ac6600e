using System.Buffers;
using System.Collections.Concurrent;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Sealing;

/// <summary>
/// Small write-once objects, each encrypted, compressed and authenticated on its own, bound to its kind, its name and the repository.
/// An object has a header (facts, up to 64 KiB, readable with one short ranged read) and a body (up to 1 GiB, held in memory).
/// Safe for concurrent use.
/// </summary>
public sealed class SealedObjects(IObjectStore store, KeyRing keys, string repositoryId)
{
    /// <summary>Most headers are read with one request of this size.</summary>
    private const int HeaderRead = 8 << 10;

    /// <summary>Most objects are read with one request of this size; larger ones take a second.</summary>
    private const int FirstRead = 256 << 10;

    /// <summary>Whether these are the keys of a write-only writer: then only what its own session makes can be read.</summary>
    public bool IsWriteOnly => keys.IsWriteOnly;

    /// <summary>The write-only writer that made it; null: a holder of the repository's keys.</summary>
    internal string? WriterOf(SealedContent content) => keys.WriterOf(content.Epoch);

    private readonly ConcurrentBag<BlockCompressor> _compressors = [];
    private readonly ConcurrentBag<BlockDecompressor> _decompressors = [];

    /// <summary>Creates the object if absent; durable on return.</summary>
    /// <returns>False if an object of that name exists already.</returns>
    /// <exception cref="ArgumentException">The header is larger than 64 KiB, or the body than 1 GiB.</exception>
    public async ValueTask<bool> CreateAsync(
        SealedKind kind, string name, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (header.Length > SealedLayout.MaximumHeader) throw new ArgumentException("A header has at most 64 KiB.", nameof(header));
        if (body.Length > SealedLayout.MaximumBody) throw new ArgumentException("A body has at most 1 GiB.", nameof(body));
        var buffer = ArrayPool<byte>.Shared.Rent(SealedWriter.Bound(header.Length, body.Length));
        try
        {
            if (!_compressors.TryTake(out var compressor)) compressor = new BlockCompressor(CompressionSettings.Default);
            var length = SealedWriter.Write(buffer, kind, name, header.Span, body.Span, keys, repositoryId, compressor);
            _compressors.Add(compressor);
            return await store.CreateAsync(name, buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The header alone, or null if there is no such object.</summary>
    /// <exception cref="DamageException">It is not what was written under this name.</exception>
    public ValueTask<byte[]?> ReadHeaderAsync(SealedKind kind, string name, CancellationToken cancellationToken) =>
        Copies.ReadAsync(store, name, () => ReadOneHeaderAsync(kind, name, cancellationToken), cancellationToken);

    /// <summary>Header and body, or null if there is no such object.</summary>
    /// <exception cref="DamageException">It is not what was written under this name.</exception>
    public ValueTask<SealedContent?> ReadAsync(SealedKind kind, string name, CancellationToken cancellationToken) =>
        Copies.ReadAsync(store, name, () => ReadOneAsync(kind, name, cancellationToken), cancellationToken);

    private async ValueTask<byte[]?> ReadOneHeaderAsync(SealedKind kind, string name, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SealedLayout.FixedSize + SealedLayout.MaximumHeader + SealedLayout.TagSize);
        try
        {
            var length = await ReadAsync(name, 0, buffer.AsMemory(0, HeaderRead), cancellationToken).ConfigureAwait(false);
            if (length < 0) return null;
            await MeetEpochAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            using var reader = new SealedReader(buffer.AsSpan(0, length), kind, name, keys, repositoryId);
            if (length == HeaderRead && reader.HeaderEnd > HeaderRead)
            {
                var rest = buffer.AsMemory(HeaderRead, reader.HeaderEnd - HeaderRead);
                length += await ReadMoreAsync(name, HeaderRead, rest, cancellationToken).ConfigureAwait(false);
            }

            return reader.ReadHeader(buffer.AsSpan(0, length));
        }
        catch (InvalidDataException error)
        {
            throw Damaged(name, error);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<SealedContent?> ReadOneAsync(SealedKind kind, string name, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstRead);
        try
        {
            var length = await ReadAsync(name, 0, buffer.AsMemory(0, FirstRead), cancellationToken).ConfigureAwait(false);
            if (length < 0) return null;
            await MeetEpochAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            using var reader = new SealedReader(buffer.AsSpan(0, length), kind, name, keys, repositoryId);
            var header = reader.ReadHeader(buffer.AsSpan(0, length));
            if (length == FirstRead)
            {
                // One byte more than there should be shows whether bytes were appended.
                var whole = ArrayPool<byte>.Shared.Rent(Math.Max(reader.TotalLength, FirstRead) + 1);
                buffer.AsSpan(0, length).CopyTo(whole);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = whole;
                var rest = buffer.AsMemory(FirstRead, Math.Max(reader.TotalLength, FirstRead) + 1 - FirstRead);
                length += await ReadMoreAsync(name, FirstRead, rest, cancellationToken).ConfigureAwait(false);
            }

            return new(header, ReadBody(reader, buffer.AsSpan(0, length))) { Epoch = reader.Epoch };
        }
        catch (InvalidDataException error)
        {
            throw Damaged(name, error);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// Whether the bytes of an object are all there and unchanged since it was written, as far as can be seen without a key: for replicas.
    /// Whether they were written by a key holder only <see cref="ReadAsync(SealedKind, string, CancellationToken)"/> tells.
    /// </summary>
    public static bool CheckIntegrity(ReadOnlySpan<byte> wholeObject)
    {
        try
        {
            return SealedLayout.Read(wholeObject).TotalLength == wholeObject.Length && SealedReader.HasDigest(wholeObject);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Keys may have been rotated since they were unlocked.</summary>
    private ValueTask MeetEpochAsync(ReadOnlyMemory<byte> start, CancellationToken cancellationToken) =>
        keys.MeetEpochAsync(store, SealedLayout.Read(start.Span).Epoch, cancellationToken);

    private byte[] ReadBody(SealedReader reader, ReadOnlySpan<byte> whole)
    {
        if (!_decompressors.TryTake(out var decompressor)) decompressor = new BlockDecompressor();
        try
        {
            return reader.ReadBody(whole, decompressor);
        }
        finally
        {
            _decompressors.Add(decompressor);
        }
    }

    /// <summary>Bytes read, or -1 if there is no such object.</summary>
    private async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadAsync(name, offset, target, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectNotFoundException)
        {
            return -1;
        }
    }

    private async ValueTask<int> ReadMoreAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        var length = await ReadAsync(name, offset, target, cancellationToken).ConfigureAwait(false);
        return length < 0 ? throw new InvalidDataException("it vanished while it was read") : length;
    }

    private static DamageException Damaged(string name, InvalidDataException error) => new(
        name, $"The object {name} is damaged: {error.Message}. Put it back from a replica, or run 'fbackup repository repair'.", error);
}
