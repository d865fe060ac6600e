using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>
/// A file that is being made. It has no name (or a temporary one, where the file system knows no other way) until it is complete, so that
/// half a file never looks good; in a staging directory, which nobody looks into, it has its own name from the start. Made when first
/// written to; may be opened from several threads.
/// </summary>
internal sealed class NewFile(RestoreContext context, RestoreDirectory directory, byte[] name, CatalogEntry entry)
{
    private readonly Lock _lock = new();
    private byte[]? _writingName;
    private bool _made;
    private Descriptor? _buffered;
    private Descriptor? _direct;
    private bool _directRefused;

    /// <summary>Whether anything was written through the page cache.</summary>
    internal bool IsBuffered => Volatile.Read(ref _buffered) is not null;

    /// <summary>Whether anything was written past the page cache.</summary>
    internal bool IsDirect => Volatile.Read(ref _direct) is not null;

    /// <summary>Open for writing through the page cache; made if need be.</summary>
    internal Descriptor OpenBuffered()
    {
        if (Volatile.Read(ref _buffered) is { } open) return open;
        lock (_lock)
        {
            return _buffered ??= OpenNew();
        }
    }

    /// <summary>Open for writing past the page cache, made if need be; null where the file system cannot.</summary>
    internal Descriptor? TryOpenDirect()
    {
        if (Volatile.Read(ref _direct) is { } open) return open;
        lock (_lock)
        {
            if (_direct is not null || _directRefused) return _direct;
            if (!_made) MakeDirect();
            else _directRefused = OpenAgain(OpenFlags.Direct, out _direct) != PosixError.None;
            return _direct;
        }
    }

    /// <summary>Open in whatever way, made if need be.</summary>
    internal Descriptor OpenAny() => Volatile.Read(ref _direct) ?? OpenBuffered();

    /// <summary>Gives the file its name.</summary>
    internal PosixError PutInPlace()
    {
        if (directory.IsPrivate) return PosixError.None;
        var holder = directory.Descriptor;
        if (_writingName is null)
        {
            var file = OpenAny();
            var linked = DirectoryCalls.LinkOpen(file, holder, name);
            if (linked != PosixError.Exists || !context.MayReplace) return linked;

            // Only a rename replaces what is there.
            _writingName = context.NewTemporaryName();
            linked = DirectoryCalls.LinkOpen(file, holder, _writingName);
            if (linked != PosixError.None) return linked;
        }

        var error = DirectoryCalls.Rename(
            holder, _writingName, holder, name, context.MayReplace ? RenameMode.Replace : RenameMode.NoReplace);
        return error == PosixError.InvalidArgument && !context.MayReplace ? RenameWithoutFlag() : error;
    }

    /// <summary>Removes what was made, if it has a name; without one it is gone when closed.</summary>
    internal void Remove()
    {
        if (_writingName is not null && directory.IsOpen) _ = DirectoryCalls.Unlink(directory.Descriptor, _writingName);
    }

    internal void Close()
    {
        _buffered?.Dispose();
        _direct?.Dispose();
        if (_made) context.End(this);
    }

    private Descriptor OpenNew()
    {
        Descriptor? file;
        if (_made) Check(OpenAgain(0, out file), "open");
        else Check(Make(0, out file), "create");
        return file!;
    }

    // Where the file system has no O_DIRECT, the file is made without it.
    private void MakeDirect()
    {
        var error = Make(OpenFlags.Direct, out _direct);
        if (error == PosixError.InvalidArgument)
        {
            _directRefused = true;
            error = Make(0, out _buffered);
        }

        Check(error, "create");
    }

    private PosixError Make(int flags, out Descriptor? file)
    {
        const uint ownerOnly = 0x180;
        if (!directory.IsPrivate && context.HasUnnamedFiles)
        {
            var unnamed = DirectoryCalls.Open(
                directory.Descriptor, "."u8, OpenFlags.WriteOnly | OpenFlags.Unnamed | flags, ownerOnly, out file);
            _made = unnamed == PosixError.None;
            if (_made) context.Begin(this);
            var unknown = unnamed is PosixError.NotSupported or PosixError.IsDirectory or PosixError.NoEntry
                || (unnamed == PosixError.InvalidArgument && flags == 0);
            if (!unknown) return unnamed;
            context.HasUnnamedFiles = false;
        }

        _writingName = directory.IsPrivate ? name : context.NewTemporaryName();
        const int create = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive;
        var error = DirectoryCalls.Open(directory.Descriptor, _writingName, create | flags, ownerOnly, out file);
        _made = error == PosixError.None;
        if (_made) context.Begin(this);

        // open(2) may have left the file behind before it refused O_DIRECT.
        else if (error == PosixError.InvalidArgument) _ = DirectoryCalls.Unlink(directory.Descriptor, _writingName);
        return error;
    }

    private PosixError OpenAgain(int flags, out Descriptor? file) => _writingName is null
        ? DirectoryCalls.Reopen((_buffered ?? _direct)!, OpenFlags.WriteOnly | flags, out file)
        : DirectoryCalls.Open(directory.Descriptor, _writingName, OpenFlags.WriteOnly | flags, 0, out file);

    // Some file systems know no RENAME_NOREPLACE; a link never replaces either.
    private PosixError RenameWithoutFlag()
    {
        var error = DirectoryCalls.Link(directory.Descriptor, _writingName, directory.Descriptor, name);
        return error != PosixError.None ? error : DirectoryCalls.Unlink(directory.Descriptor, _writingName);
    }

    private void Check(PosixError error, string attempt) => PosixException.Check(error, attempt, entry.Path.Span);
}
