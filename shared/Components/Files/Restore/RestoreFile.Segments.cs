using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Large files: bytes are gathered into whole segments, which writer threads put past the page cache.</summary>
internal sealed partial class RestoreFile
{
    private readonly Dictionary<long, Segment> _segments = [];
    private readonly List<(long Offset, long Length)> _partialHoles = [];

    /// <summary>Called by a writer thread.</summary>
    internal void WriteSegment(Segment segment)
    {
        var buffer = segment.Buffer!;
        try
        {
            if (!IsRejected) WriteDirect(segment, buffer);
        }
        catch (PosixException exception) when (!RestoreContext.IsFatal(exception.Error))
        {
            Fail(exception);
        }
        finally
        {
            context.Writers.Return(buffer);
        }

        Arrived();
    }

    private void WriteDirect(Segment segment, SegmentBuffer buffer)
    {
        var aligned = (segment.Length + SegmentWriters.Alignment - 1) & -SegmentWriters.Alignment;
        buffer.Span[segment.Length..aligned].Clear();
        var error = _new.TryOpenDirect() is { } direct
            ? FileCalls.Write(direct, buffer.Span[..aligned], segment.Offset)
            : PosixError.InvalidArgument;
        if (error == PosixError.InvalidArgument)
        {
            WriteBuffered(segment.Offset, buffer.Span[..segment.Length]);
            FileCalls.StartWriteBack(_new.OpenBuffered(), segment.Offset, segment.Length);
            return;
        }

        Check(error, "write");
        Interlocked.Add(ref _written, segment.Length);
    }

    private void WriteSegments(long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var segment = FindSegment(offset);
            var count = (int)Math.Min(bytes.Length, segment.Offset + segment.Length - offset);
            Fill(segment, offset, bytes[..count]);
            offset += count;
            bytes = bytes[count..];
        }
    }

    private Segment FindSegment(long offset)
    {
        const long size = SegmentWriters.SegmentSize;
        var start = offset / size * size;
        lock (_lock)
        {
            if (_segments.TryGetValue(start, out var segment)) return segment;
            segment = new Segment(start, (int)Math.Min(size, Size - start), context.Writers.TryRent());
            _segments.Add(start, segment);
            Expect(1);
            return segment;
        }
    }

    private void Fill(Segment segment, long offset, ReadOnlySpan<byte> bytes)
    {
        if (segment.Buffer is { } buffer) bytes.CopyTo(buffer.Span[(int)(offset - segment.Offset)..]);
        else WriteBuffered(offset, bytes);
        Received(segment, bytes.Length);
    }

    private void Received(Segment segment, int count)
    {
        if (!segment.Receive(count)) return;
        lock (_lock) _segments.Remove(segment.Offset);
        if (segment.Buffer is not null)
        {
            context.Writers.Enqueue(this, segment);
            return;
        }

        if (_new.IsBuffered) FileCalls.StartWriteBack(_new.OpenBuffered(), segment.Offset, segment.Length);
        Arrived();
    }

    private void AddPartialHole(long offset, long length)
    {
        if (length <= 0) return;
        var segment = FindSegment(offset);
        segment.Buffer?.Span.Slice((int)(offset - segment.Offset), (int)length).Clear();
        if (segment.Buffer is not null) lock (_lock) _partialHoles.Add((offset, length));
        Received(segment, (int)length);
    }
}
