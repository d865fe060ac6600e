using FunctionsBackup.Storage.Posix;
using Microsoft.Win32.SafeHandles;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// Writes an object's bytes to a new file and makes them durable. Large ones go past the page cache (O_DIRECT): several times faster than
/// writing to the cache and then waiting for it, and a backup does not push the database's pages out of it. Where the file system refuses
/// that (EINVAL), the cache is used.
/// </summary>
internal sealed class ObjectWriter
{
    /// <summary>From this size on a write is worth the alignment, bytes.</summary>
    internal const int UnbufferedFrom = 1 << 20;

    /// <summary>What is written at once where the caller's memory serves, bytes: cancellation waits for no more.</summary>
    private const int Piece = 8 << 20;

    private volatile bool _refused;

    /// <summary>Whether this file system has refused unbuffered writes.</summary>
    internal bool UnbufferedRefused => _refused;

    /// <summary>
    /// Creates <paramref name="path"/>, which must not exist, with these bytes, durable (its entry in the folder is not).
    /// </summary>
    public Errno Write(string path, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        if (content.Length >= UnbufferedFrom && !_refused)
        {
            var error = Write(path, content, unbuffered: true, cancellationToken);
            if (error != Errno.EINVAL) return error;
            _refused = true;
            error = PosixFile.Unlink(path); // some file systems create the file and then refuse the flag
            if (error is not (Errno.None or Errno.ENOENT)) return error;
        }

        return Write(path, content, unbuffered: false, cancellationToken);
    }

    private static Errno Write(string path, ReadOnlySpan<byte> content, bool unbuffered, CancellationToken cancellationToken)
    {
        var error = PosixFile.CreateNew(path, unbuffered, StoreLayout.ObjectMode, out var file);
        using (file)
        {
            if (error != Errno.None) return error;
            error = unbuffered ? WriteUnbuffered(file, content, cancellationToken) : WriteBuffered(file, content, cancellationToken);
            return error == Errno.None ? PosixFile.SyncData(file) : error;
        }
    }

    private static Errno WriteBuffered(SafeFileHandle file, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        for (var offset = 0; offset < content.Length; offset += Piece)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var error = PosixFile.WriteAt(file, content.Slice(offset, Math.Min(Piece, content.Length - offset)), offset);
            if (error != Errno.None) return error;
        }

        return Errno.None;
    }

    private static unsafe Errno WriteUnbuffered(SafeFileHandle file, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        fixed (byte* start = content)
        {
            var aligned = AlignedBuffer.IsAligned(start);
            using var buffer = aligned && content.Length % AlignedBuffer.Alignment == 0 ? null : new AlignedBuffer();
            for (var offset = 0; offset < content.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = content.Slice(offset, Math.Min(aligned ? Piece : AlignedBuffer.Size, content.Length - offset));
                var whole = piece.Length & ~(AlignedBuffer.Alignment - 1);
                if (aligned && whole > 0) piece = piece[..whole]; // an odd tail comes as a piece of its own
                var error = PosixFile.WriteAt(file, aligned && whole > 0 ? piece : Copy(piece, buffer!), offset);
                if (error != Errno.None) return error;
                offset += piece.Length;
            }
        }

        return content.Length % AlignedBuffer.Alignment == 0 ? Errno.None : PosixFile.Truncate(file, content.Length);
    }

    /// <summary>The piece at an aligned address, zeros behind it up to a full page.</summary>
    private static ReadOnlySpan<byte> Copy(ReadOnlySpan<byte> piece, AlignedBuffer buffer)
    {
        var padded = (piece.Length + AlignedBuffer.Alignment - 1) & ~(AlignedBuffer.Alignment - 1);
        var span = buffer.Span[..padded];
        piece.CopyTo(span);
        span[piece.Length..].Clear();
        return span;
    }
}
