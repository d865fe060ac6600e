using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Where one root of a restore goes: checked before anything is written, opened when its first entry comes.</summary>
internal sealed class RestoreTarget : IDisposable
{
    private const uint OwnerAll = 0x1C0;

    private readonly RestoreContext _context;
    private readonly byte[] _name;
    private readonly byte[] _holderPath;
    private Descriptor? _holder;
    private byte[]? _staging;

    private RestoreTarget(RestoreContext context, RestoreRoot root)
    {
        _context = context;
        var path = Path.GetFullPath(root.Target);
        FullPath = path.Length > 1 ? path.TrimEnd('/') : path;
        Prefix = root.Prefix;
        Root = new RestoreDirectory(null, [], null, this);
        var bytes = ByteName.Parse(FullPath);
        _name = bytes.Length > 1 ? ByteName.LastPart(bytes).ToArray() : [(byte)'.'];
        _holderPath = ByteName.Directory(bytes) is { IsEmpty: false } above ? above.ToArray() : [(byte)'/'];
    }

    internal string FullPath { get; }

    internal string Prefix { get; }

    /// <summary>The directory that the root's children go into, made when the first of them is restored.</summary>
    internal RestoreDirectory Root { get; }

    /// <summary>Whether anything was restored here.</summary>
    internal bool IsUsed => _holder is not null;

    /// <summary>Whether the catalog has anything for this root.</summary>
    internal bool IsFound { get; set; }

    /// <summary>Whether there was something at the target that a staging directory would take the place of.</summary>
    internal bool HadContent { get; private set; }

    /// <exception cref="RestoreRefusedException">The target cannot be used as it is.</exception>
    internal static RestoreTarget Check(RestoreContext context, RestoreRoot root)
    {
        var target = new RestoreTarget(context, root);
        target.CheckContent();
        target.CheckWritable();
        return target;
    }

    /// <summary>Bytes free where the target is or will be, and the file system's number.</summary>
    internal (ulong Device, long Free) FreeSpace()
    {
        using var nearest = OpenNearest(out _);
        var free = 0L;
        var status = default(FileStatus);
        var error = FileCalls.Status(nearest, out status);
        if (error == PosixError.None) error = FileCalls.FreeSpace(nearest, out free);
        PosixException.Check(error, "find the free space of", FullPath);
        return (status.Device, free);
    }

    /// <summary>For a root that is no directory: where it goes.</summary>
    /// <exception cref="RestoreRefusedException">A directory is there.</exception>
    internal (RestoreDirectory Directory, byte[] Name) OpenForFile()
    {
        OpenHolder();
        if (DirectoryCalls.Status(_holder!, _name, out var found) == PosixError.None && found.Kind == EntryKind.Directory)
            throw new RestoreRefusedException($"{FullPath} is a directory, but {Prefix} is not; name the file to restore to.");
        var holder = new RestoreDirectory(null, [], null);
        holder.Attach(_holder!, existed: true);
        return (holder, _name);
    }

    /// <summary>Makes and opens the target, or the staging directory beside it.</summary>
    /// <exception cref="RestoreRefusedException">The target is a file.</exception>
    internal void OpenRoot(RestoreDirectory root)
    {
        OpenHolder();
        if (_context.Options.Staging)
        {
            var name = ByteName.Display(_name.AsSpan(0, Math.Min(_name.Length, 50)));
            _staging = ByteName.Parse($".{name}.fbackup-staging-{Guid.NewGuid().ToString("N")[..8]}");
            PosixException.Check(DirectoryCalls.MakeDirectory(_holder!, _staging, OwnerAll), "make a staging directory beside", FullPath);
            PosixException.Check(
                DirectoryCalls.OpenDirectory(_holder!, _staging, out var staging), "open the staging directory of", FullPath);
            root.Attach(staging!, existed: false, isPrivate: true);
            return;
        }

        var made = DirectoryCalls.MakeDirectory(_holder!, _name, OwnerAll);
        if (made is not (PosixError.None or PosixError.Exists)) PosixException.Check(made, "make the directory", FullPath);

        // The target itself may be a link to a directory: that is what the person who named it asked for.
        var error = PathCalls.OpenDirectory(ByteName.Parse(FullPath), out var opened);
        if (error == PosixError.NotDirectory)
            throw new RestoreRefusedException($"{FullPath} is a file, but {Prefix} is a directory; choose another target.");
        PosixException.Check(error, "open", FullPath);
        root.Attach(opened!, existed: made == PosixError.Exists);
    }

    /// <summary>Puts the staging directory in the target's place and removes what was there.</summary>
    internal void SwapIn()
    {
        if (_staging is null) return;
        var error = DirectoryCalls.Rename(_holder!, _staging, _holder!, _name, RenameMode.Exchange);
        var exchanged = error == PosixError.None;
        if (error == PosixError.NoEntry) error = DirectoryCalls.Rename(_holder!, _staging, _holder!, _name, RenameMode.NoReplace);
        if (error == PosixError.InvalidArgument) error = SwapWithoutFlag(out exchanged);
        PosixException.Check(error, "put the restored directory in the place of", FullPath);
        var staging = _staging;
        _staging = null;
        PosixException.Check(FileCalls.Sync(_holder!), "sync the directory of", FullPath);
        if (!exchanged) return;
        error = TreeRemover.Remove(_holder!, staging);
        if (error != PosixError.None)
            _context.Warnings.Add(
                $"What {FullPath} held before is still in {ByteName.Display(staging)} beside it: {PosixException.Reason(error)}.");
    }

    /// <summary>Leaves the target as it is and keeps what was restored beside it, because it is not complete.</summary>
    internal void KeepAside()
    {
        if (_staging is null) return;
        _context.Warnings.Add(
            $"{FullPath} was left as it was, because the recovery point is damaged; what could be restored is in "
            + $"{ByteName.Display(_staging)} beside it.");
        _staging = null;
    }

    /// <summary>Removes a staging directory that was not swapped in.</summary>
    internal void Discard()
    {
        if (_staging is not null && _holder is not null) _ = TreeRemover.Remove(_holder, _staging);
        _staging = null;
    }

    internal void Sync()
    {
        if (_holder is not null) PosixException.Check(FileCalls.Sync(_holder), "sync the directory of", FullPath);
        var file = Root.IsOpen ? Root.Descriptor : _holder;
        if (file is not null) PosixException.Check(FileCalls.SyncFileSystem(file), "make durable what was written to", FullPath);
    }

    public void Dispose()
    {
        Root.Dispose();
        _holder?.Dispose();
    }

    private void CheckContent()
    {
        var error = PathCalls.Open(ByteName.Parse(FullPath), OpenFlags.PathOnly, out var opened);
        if (error is PosixError.NoEntry or PosixError.NotDirectory) return;
        PosixException.Check(error, "open", FullPath);
        using var existing = opened!;
        PosixException.Check(FileCalls.Status(existing, out var status), "look at", FullPath);
        HadContent = status.Kind != EntryKind.Directory || !IsEmptyDirectory();
        if (HadContent && !_context.Options.Overwrite && !_context.Options.Delta)
            throw new RestoreRefusedException($"{FullPath} exists and is not empty; choose another target, or allow it to be overwritten.");
        if (!_context.Options.Staging) return;
        using var holder = OpenNearest(out _, _holderPath);
        if (FileCalls.Status(holder, out var above) == PosixError.None && above.Device != status.Device)
            throw new RestoreRefusedException($"{FullPath} is a mount point, so nothing can be swapped in; restore without staging.");
        if (Directory.ResolveLinkTarget(FullPath, false) is not null)
            throw new RestoreRefusedException(
                $"{FullPath} is a symbolic link, so nothing can be swapped in; name the directory that it leads to.");
    }

    private bool IsEmptyDirectory()
    {
        PosixException.Check(PathCalls.OpenDirectory(ByteName.Parse(FullPath), out var directory), "open", FullPath);
        using var open = directory!;
        var names = new DirectoryNames();
        PosixException.Check(names.Read(open), "list", FullPath);
        return names.Count == 0;
    }

    private void CheckWritable()
    {
        using var nearest = OpenNearest(out var path, _context.Options.Staging ? _holderPath : null);
        var error = FileCalls.Status(nearest, out var status);
        if (error == PosixError.None && status.Kind == EntryKind.Directory) error = DirectoryCalls.CheckWritable(nearest);
        if (error != PosixError.None)
            throw new RestoreRefusedException(
                $"{path} cannot be written to ({PosixException.Reason(error)}); choose another target, or allow writing there.");
    }

    // The target, or the nearest directory above it that exists.
    private Descriptor OpenNearest(out string path, byte[]? from = null)
    {
        for (var at = from ?? ByteName.Parse(FullPath); ; at = Above(at))
        {
            path = ByteName.Display(at);
            var error = PathCalls.OpenDirectory(at, out var found);
            if (error == PosixError.None) return found!;
            if (error is not (PosixError.NoEntry or PosixError.NotDirectory) || at.Length == 1) PosixException.Check(error, "open", path);
            if (at.Length < ByteName.Parse(FullPath).Length && PathCalls.Open(at, OpenFlags.PathOnly, out found) == PosixError.None)
            {
                found!.Dispose();
                throw new RestoreRefusedException($"{path} is a file, so nothing can be restored below it; choose another target.");
            }
        }
    }

    private static byte[] Above(byte[] path) => ByteName.Directory(path) is { IsEmpty: false } above ? above.ToArray() : [(byte)'/'];

    private void OpenHolder()
    {
        if (_holder is not null) return;
        Directory.CreateDirectory(ByteName.TryGetText(_holderPath, out var text) ? text : FullPath);
        PosixException.Check(PathCalls.OpenDirectory(_holderPath, out _holder), "open", ByteName.Display(_holderPath));
    }

    // For file systems without RENAME_EXCHANGE: two renames, undone if the second fails.
    private PosixError SwapWithoutFlag(out bool exchanged)
    {
        byte[] old = [.. _staging!, .. "-old"u8];
        exchanged = false;
        var error = DirectoryCalls.Rename(_holder!, _name, _holder!, old, RenameMode.Replace);
        if (error is not (PosixError.None or PosixError.NoEntry)) return error;
        var moved = error == PosixError.None;
        error = DirectoryCalls.Rename(_holder!, _staging!, _holder!, _name, RenameMode.Replace);
        if (!moved) return error;
        if (error != PosixError.None)
        {
            _ = DirectoryCalls.Rename(_holder!, old, _holder!, _name, RenameMode.Replace);
            return error;
        }

        exchanged = true;
        return DirectoryCalls.Rename(_holder!, old, _holder!, _staging!, RenameMode.Replace);
    }
}
