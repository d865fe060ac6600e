using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>
/// A file on its way to the target. Its bytes come in any order, from several threads; whoever brings the last of them finishes it. It gets
/// its name when it is complete (<see cref="NewFile"/>); only a delta restore writes into the file that is there.
/// </summary>
internal sealed partial class RestoreFile(RestoreContext context, RestoreDirectory directory, byte[] name, CatalogEntry entry)
{
    /// <summary>From this size on whole segments are written past the page cache.</summary>
    private const long DirectFrom = 128 << 10;

    // Write-back of buffered data starts when this much has been written, so that little is left for the end.
    private const long WriteBackFrom = 4 << 20;

    private readonly Lock _lock = new();
    private readonly NewFile _new = new(context, directory, name, entry);
    private bool _endsInHole;
    private bool _mayBeDirect = entry.Content!.Size >= DirectFrom;
    private int _outstanding = 1;
    private int _damaged;
    private int _failed;
    private int _differing;
    private bool _ended;
    private long _written;

    internal RestoreDirectory Directory { get; } = directory;

    internal byte[] Name { get; } = name;

    internal CatalogEntry Entry { get; } = entry;

    internal long Size { get; } = entry.Content!.Size;

    /// <summary>The key that its chunks were sealed with; null: they were not.</summary>
    internal SubjectKey? Subject { get; init; }

    /// <summary>The file that is there, for a delta restore.</summary>
    internal ExistingFile? Existing { get; private set; }

    internal bool InPlace => Existing is { IsWritten: true };

    private bool IsRejected => Volatile.Read(ref _damaged) != 0 || Volatile.Read(ref _failed) != 0;

    /// <summary>Looks for a file to compare with.</summary>
    internal void OpenExisting()
    {
        Existing = ExistingFile.Open(Directory.Descriptor, Name);
        _mayBeDirect = _mayBeDirect && !InPlace;
    }

    /// <summary>Announces bytes, or a segment, that will come.</summary>
    internal void Expect(int count) => Interlocked.Add(ref _outstanding, count);

    /// <summary>What was announced has come, in whatever way.</summary>
    internal void Arrived()
    {
        if (Interlocked.Decrement(ref _outstanding) == 0) Finish();
    }

    internal void MarkDamaged() => Interlocked.Exchange(ref _damaged, 1);

    /// <summary>Nothing more will come: rejects the file if it waits for bytes that cannot come any more.</summary>
    internal void EndBatch()
    {
        if (IsRejected) Finish();
    }

    internal void MarkDiffering() => Interlocked.Exchange(ref _differing, 1);

    /// <summary>Takes bytes of the content, for good.</summary>
    internal void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (IsRejected || offset < 0 || offset + bytes.Length > Size) return;
        try
        {
            if (!_mayBeDirect) WriteBuffered(offset, bytes);
            else WriteSegments(offset, bytes);
        }
        catch (PosixException exception) when (!RestoreContext.IsFatal(exception.Error))
        {
            Fail(exception);
        }
    }

    /// <summary>Zeros that take no space. Called before <see cref="Arrived"/> is for the planner's own share.</summary>
    internal void AddHole(long offset, long length)
    {
        if (Existing is { } existing && existing.HasData(offset, length))
        {
            MarkDiffering();
            if (InPlace) ClearExisting(existing, offset, Math.Min(length, existing.Size - offset));
        }

        _endsInHole = offset + length == Size;
        if (!_mayBeDirect || IsRejected) return;

        // Segments that lie wholly in the hole are never begun; the two at its ends get zeros, which are taken out again at the end.
        const long size = SegmentWriters.SegmentSize;
        var end = offset + length;
        var firstWhole = (offset + size - 1) / size * size;
        var lastWhole = end == Size ? end : end / size * size;
        if (firstWhole >= lastWhole)
        {
            AddPartialHole(offset, Math.Min(firstWhole, end) - offset);
            if (end > firstWhole) AddPartialHole(firstWhole, end - firstWhole);
            return;
        }

        AddPartialHole(offset, firstWhole - offset);
        AddPartialHole(lastWhole, end - lastWhole);
    }

    private void WriteBuffered(long offset, ReadOnlySpan<byte> bytes)
    {
        var file = InPlace ? Existing!.Descriptor : _new.OpenBuffered();
        Check(FileCalls.Write(file, bytes, offset), "write");
        var before = Interlocked.Add(ref _written, bytes.Length) - bytes.Length;
        if (InPlace && before / WriteBackFrom != (before + bytes.Length) / WriteBackFrom) FileCalls.StartWriteBack(file, 0, 0);
    }

    private void ClearExisting(ExistingFile existing, long offset, long length)
    {
        if (FileCalls.MakeHole(existing.Descriptor, offset, length) == PosixError.None) return;
        var zeros = new byte[(int)Math.Min(length, 1 << 20)];
        for (var at = 0L; at < length; at += zeros.Length)
            WriteBuffered(offset + at, zeros.AsSpan(0, (int)Math.Min(zeros.Length, length - at)));
    }

    private void Finish()
    {
        lock (_lock)
        {
            if (_ended) return;
            _ended = true;
            try
            {
                if (IsRejected) Reject();
                else if (Existing is { IsWritten: true } written) FinishInPlace(written);
                else if (Existing is { } same && _differing == 0 && same.Size == Size) KeepExisting(same);
                else Complete();
            }
            catch (PosixException exception) when (!RestoreContext.IsFatal(exception.Error))
            {
                Fail(exception);
                Reject();
            }
            catch (PosixException)
            {
                _new.Remove();
                throw;
            }
            finally
            {
                Close();
            }
        }
    }

    private void Complete()
    {
        var file = _new.OpenAny();

        // Takes off what the last segment was padded with, or gives a hole at the end its length.
        if (_endsInHole || (_new.IsDirect && Size % SegmentWriters.Alignment != 0))
            Check(FileCalls.Truncate(file, Size), "set the size of");
        foreach (var (offset, length) in _partialHoles) _ = FileCalls.MakeHole(file, offset, length);
        EntryMetadata.Apply(context, file, Entry, existed: false);
        Check(_new.PutInPlace(), "put in place");
        context.AddFile(Size, _written);
    }

    private void FinishInPlace(ExistingFile existing)
    {
        if (existing.Size != Size) Check(FileCalls.Truncate(existing.Descriptor, Size), "set the size of");
        EntryMetadata.Apply(context, existing.Descriptor, Entry, existed: true);
        context.AddFile(Size, _written);
    }

    private void KeepExisting(ExistingFile existing)
    {
        _new.Remove();
        EntryMetadata.Apply(context, existing.Descriptor, Entry, existed: true);
        context.AddFile(Size, 0);
    }

    private void Fail(PosixException exception)
    {
        if (Interlocked.Exchange(ref _failed, 1) == 0)
            context.Warnings.Add($"{ByteName.Display(Entry.Path.Span)} was not restored. {exception.Message}");
    }

    // What cannot be restored must not look good: the new file goes, and one that is there already gets another name.
    private void Reject()
    {
        _new.Remove();
        var damaged = Volatile.Read(ref _damaged) != 0;
        if (damaged) context.AddDamaged(Entry.Path.Span);
        else context.AddFailed(Entry.Path.Span);
        if (!damaged && !InPlace) return;
        if (Directory.IsPrivate || !context.MayReplace
            || DirectoryCalls.Status(Directory.Descriptor, Name, out var status) != PosixError.None
            || status.Kind != EntryKind.File) return;
        byte[] aside = [.. Name.AsSpan(0, Math.Min(Name.Length, 255 - 8)), .. ".damaged"u8];
        Check(DirectoryCalls.Rename(Directory.Descriptor, Name, Directory.Descriptor, aside, RenameMode.Replace), "rename");
        Directory.AddChild(aside);
    }

    private void Close()
    {
        _new.Close();
        Existing?.Dispose();
        foreach (var segment in _segments.Values)
            if (segment.Buffer is { } buffer) context.Writers.Return(buffer);
        _segments.Clear();
    }

    private void Check(PosixError error, string attempt) => PosixException.Check(error, attempt, Entry.Path.Span);
}
