using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>
/// The bytes of an open file up to the size it had when opened, read straight into the caller's buffer; holes of a sparse file are not
/// read. Ends early where the file has become shorter. Begins at <c>start</c>.
/// </summary>
/// <exception cref="PosixException">The file cannot be read.</exception>
internal sealed class FileContentSource(Descriptor file, long size, bool sparse, string display, ProgressMeter meter, long start = 0) : IContentSource
{
    private long _position = start;

    // Up to here there is data without a hole.
    private long _dataEnd = sparse ? 0 : size;

    /// <summary>Bytes that were read.</summary>
    internal long ReadBytes { get; private set; }

    /// <summary>Whether the file was shorter than it should be.</summary>
    internal bool IsShort { get; private set; }

    public ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_position >= size || IsShort) return new(default(ContentRun));
        if (_position >= _dataEnd && FindData() is var hole and > 0)
        {
            _position += hole;
            meter.AddBytes(hole);
            return new(new ContentRun(0, hole));
        }

        var wanted = (int)Math.Min(buffer.Length, _dataEnd - _position);
        PosixException.Check(FileCalls.Read(file, buffer.Span[..wanted], _position, out var read), "read", display);
        _position += read;
        ReadBytes += read;
        IsShort = read < wanted;
        meter.AddBytes(read);
        return new(new ContentRun(read));
    }

    // Returns the length of the hole that begins here, and finds the data after it.
    private long FindData()
    {
        var error = FileCalls.FindData(file, _position, out var start);
        if (error == PosixError.NoDevice) start = size;
        else if (error == PosixError.InvalidArgument) (start, _dataEnd) = (_position, size);
        else PosixException.Check(error, "find data in", display);
        if (start >= size) return size - _position;
        if (_dataEnd <= start)
            _dataEnd = FileCalls.FindHole(file, start, out var end) == PosixError.None ? Math.Min(end, size) : size;
        return start - _position;
    }
}
