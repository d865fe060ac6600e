using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Reads a file of the data directory up to the size it had when it was listed. What is appended meanwhile comes back by replay, and if it
/// gets shorter the copy ends where the file does, for the same reason.
/// </summary>
/// <param name="file">Open for reading; stays the caller's.</param>
/// <param name="size">Bytes to read at most; for a relation file a multiple of the page size.</param>
/// <param name="path">For error messages.</param>
/// <param name="inspector">Checks the pages of a relation file; null for other files.</param>
internal sealed class FileSource(Descriptor file, long size, string path, PageInspector? inspector) : IContentSource
{
    /// <summary>Small enough that what was just read is still in the processor's cache when it is checked and hashed.</summary>
    public const int MaximumRead = 256 << 10;

    private long _position;

    public ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wanted = (int)Math.Min(Math.Min(buffer.Length, MaximumRead), size - _position);
        if (inspector is not null && wanted > inspector.PageSize) wanted -= wanted % inspector.PageSize;
        if (wanted <= 0) return new(new ContentRun(0));
        var span = buffer.Span[..wanted];
        PosixException.Check(FileCalls.Read(file, span, _position, out var read), "read", path);
        if (inspector is not null)
        {
            // A file cut short within a page has lost that page; replay knows.
            read -= read % inspector.PageSize;
            inspector.Inspect(span[..read], _position, Again);
        }

        _position += read;
        if (read < wanted) _position = size;
        return new(new ContentRun(read));
    }

    private bool Again(Span<byte> page, long offset) =>
        FileCalls.Read(file, page, offset, out var read) == PosixError.None && read == page.Length;
}
