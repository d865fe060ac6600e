using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>Reads what the walk found into the session. Not for concurrent use: one per worker.</summary>
internal sealed class FileReader(BackupSession session, WarningList warnings, ProgressMeter meter, FilesBackupHooks hooks) : IDisposable
{
    private const long LargeFile = 1 << 20;

    private readonly DirectoryCache _directories = new();

    /// <summary>Stores a file; null if it cannot be read, after a warning.</summary>
    /// <param name="entry">What the walk found.</param>
    /// <param name="parent">Its content in the recovery point before.</param>
    /// <param name="subject">Whose it is.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <param name="appended">What it is expected to begin with; it is read from there on if a check of the file says so.</param>
    internal async ValueTask<CatalogEntry?> ReadFileAsync(
        WalkedEntry entry, ContentRef? parent, SubjectKey? subject, CancellationToken cancellationToken, AppendedFile? appended = null)
    {
        if (hooks.BeforeOpen is { } before) before(entry.Path);
        var error = OpenFile(entry, out var file);
        using var open = file;
        var status = default(FileStatus);
        if (error == PosixError.None) error = FileCalls.Status(file!, out status);
        if (error == PosixError.None && status.Kind != EntryKind.File) error = PosixError.NoEntry;
        if (error != PosixError.None) return Leave(entry, error);

        var sparse = status.Allocated < status.Size;
        if (status.Size >= LargeFile)
        {
            FileCalls.Advise(file!, FileAdvice.Sequential);
            FileCalls.Advise(file!, FileAdvice.NoReuse);
        }

        error = AttributeCalls.ReadAll(file!, out var attributes);
        if (error != PosixError.None)
            warnings.Add($"The extended attributes of {Display(entry)} were left out: {PosixException.Reason(error)}.");

        ContentRef content;
        FileContentSource source;
        try
        {
            var taken = appended is null ? null : await appended.CheckAsync(file!, status, session, cancellationToken).ConfigureAwait(false);
            if (taken is { } known) meter.AddBytes(known.Bytes);
            source = new FileContentSource(file!, status.Size, sparse, Display(entry), meter, taken?.Bytes ?? 0);
            var options = new ContentOptions(Parent: taken is null ? parent : null) { Subject = subject, Taken = taken?.Items ?? [] };
            content = await session.StoreAsync(source, options, cancellationToken).ConfigureAwait(false);
        }
        catch (PosixException exception)
        {
            return Leave(entry, exception.Error);
        }

        if (hooks.AfterRead is { } after) after(entry.Path);
        error = FileCalls.Status(file!, out var now);
        var changed = error != PosixError.None || !now.IsUnchangedSince(status) || source.IsShort;
        if (changed)
            warnings.Add($"{Display(entry)} changed while it was read; it is kept as it was read and will be read again next time.");
        return WithAttributes(
            ToEntry(entry, status) with
            {
                Content = content,
                Subject = subject?.Reference,

                // No file has this change time, so the next backup reads this one again.
                ChangedNanoseconds = changed ? 0 : status.ChangedNanoseconds,
            },
            attributes);
    }

    /// <summary>The entry of what is no file, with its link target and attributes; null if it vanished, after a warning.</summary>
    internal CatalogEntry? ReadOther(WalkedEntry entry)
    {
        var error = _directories.Open(entry.Directory, out var directory);
        byte[] target = [];
        IReadOnlyList<ExtendedAttribute> attributes = [];
        if (error == PosixError.None && entry.Kind == EntryKind.SymbolicLink)
            error = DirectoryCalls.ReadLink(directory!, entry.Name, out target);
        if (error != PosixError.None) return Leave(entry, error);
        error = AttributeCalls.ReadAll(directory!, entry.Name, out attributes);
        if (error == PosixError.NoEntry) return Leave(entry, error);
        if (error != PosixError.None)
            warnings.Add($"The extended attributes of {Display(entry)} were left out: {PosixException.Reason(error)}.");
        return WithAttributes(ToEntry(entry, entry.Status) with { LinkTarget = target }, attributes);
    }

    private CatalogEntry WithAttributes(CatalogEntry entry, IReadOnlyList<ExtendedAttribute> attributes)
    {
        var fitting = CatalogLimits.Fitting(entry, attributes);
        if (fitting.Count < attributes.Count)
            warnings.Add(
                $"{attributes.Count - fitting.Count} of {attributes.Count} extended attributes of {ByteName.Display(entry.Path.Span)} were left out: "
                + "they are too large.");
        return entry with { ExtendedAttributes = fitting };
    }

    internal static CatalogEntry ToEntry(WalkedEntry entry, in FileStatus status) => new()
    {
        Path = entry.Path,
        Kind = entry.Kind,
        Mode = status.Mode,
        UserId = status.UserId,
        GroupId = status.GroupId,
        ModifiedNanoseconds = status.ModifiedNanoseconds,
        ChangedNanoseconds = status.ChangedNanoseconds,
        Inode = status.Inode,
        Device = status.Device,
        SpecialDevice = entry.Kind is EntryKind.CharacterDevice or EntryKind.BlockDevice ? status.SpecialDevice : 0,
    };

    public void Dispose() => _directories.Dispose();

    // Non-blocking, since a fifo may have taken the place. Reading should not change the access time, which only the owner may ask for.
    private PosixError OpenFile(WalkedEntry entry, out Descriptor? file)
    {
        file = null;
        var error = _directories.Open(entry.Directory, out var directory);
        if (error != PosixError.None) return error;
        const int flags = OpenFlags.ReadOnly | OpenFlags.NonBlocking;
        error = DirectoryCalls.Open(directory!, entry.Name, flags | OpenFlags.NoAccessTime, 0, out file);
        return error == PosixError.NotPermitted ? DirectoryCalls.Open(directory!, entry.Name, flags, 0, out file) : error;
    }

    private CatalogEntry? Leave(WalkedEntry entry, PosixError error)
    {
        warnings.Add(error is PosixError.NoEntry or PosixError.Loop
            ? $"{Display(entry)} vanished during the backup."
            : $"{Display(entry)} was left out: {PosixException.Reason(error)}.");
        return null;
    }

    private static string Display(WalkedEntry entry) => ByteName.Display(entry.Path);
}

/// <summary>Where tests step in.</summary>
internal sealed class FilesBackupHooks
{
    internal Action<ReadOnlyMemory<byte>>? BeforeOpen { get; init; }

    internal Action<ReadOnlyMemory<byte>>? AfterRead { get; init; }
}
