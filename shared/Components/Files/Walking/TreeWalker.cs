using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Walking;

/// <summary>
/// Walks a tree depth first, names sorted as bytes, which is <see cref="CatalogOrder"/>. Never follows a symbolic link below the root.
/// Holds the names of the directories on the way to where it is, and nothing more. What cannot be read becomes a warning.
/// </summary>
public sealed class TreeWalker(WalkOptions options, WarningList warnings)
{
    private readonly byte[] _buffer = DirectoryNames.NewBuffer();
    private readonly Stack<DirectoryNames> _spareNames = new();

    /// <summary>Files and directories left out by the globs; what lies in an excluded directory is not counted.</summary>
    public long Excluded { get; private set; }

    /// <summary>Sockets, which hold nothing that could be kept.</summary>
    public long Sockets { get; private set; }

    /// <summary>Yields the root itself, then what it holds; of both, what is in the range.</summary>
    public IEnumerable<WalkedEntry> Walk(WalkRoot root)
    {
        var range = options.Range;
        var outside = range?.IsBefore(root.CatalogName) == true;
        if (range is not null && (range.IsBehind(root.CatalogName) || (outside && !range.BeginsBelow(root.CatalogName)))) yield break;
        var error = DirectoryCalls.Status(root.Holder, root.DiskName, out var status);
        if (error != PosixError.None || status.Kind is not { } kind)
        {
            warnings.Add($"{root.Original} was left out: {(error == PosixError.None ? "it is a socket" : PosixException.Reason(error))}.");
            yield break;
        }

        if (!outside)
            yield return new WalkedEntry(root.CatalogName, root.HolderNode, 0, kind, status) { RootName = root.DiskName };
        if (kind != EntryKind.Directory) yield break;
        var top = Enter(root.Holder, root.DiskName, WalkedDirectory.Root(root.ResolvedPath), root.CatalogName, status, included: false);
        if (top is null) yield break;

        // An explicit stack: the depth of a tree is the user's, that of the call stack is not.
        var stack = new Stack<Frame>();
        stack.Push(top);
        try
        {
            while (stack.TryPeek(out var frame))
            {
                if (!Next(frame, root, out var entry))
                {
                    Leave(stack.Pop());
                    continue;
                }

                if (entry is null) continue;
                if (range?.IsBefore(entry.Path) != true) yield return entry;
                if (entry.Kind != EntryKind.Directory) continue;
                if (options.OneFileSystem && entry.Status.Device != status.Device) continue;
                var name = frame.Names[frame.Index - 1];
                var child = Enter(frame.Directory, name.ToArray(), frame.Node.Child(name), entry.Path, entry.Status, frame.ChildIncluded);
                if (child is not null) stack.Push(child);
            }
        }
        finally
        {
            while (stack.TryPop(out var frame)) frame.Directory.Dispose();
        }
    }

    private bool Next(Frame frame, WalkRoot root, out WalkedEntry? entry)
    {
        entry = null;
        if (frame.Index == frame.Names.Count) return false;
        var index = frame.Index++;
        var name = frame.Names[index];
        var path = ByteName.Join(frame.Path, name);
        var outside = false;
        if (options.Range is { } range)
        {
            if (range.IsBehind(path))
            {
                frame.Index = frame.Names.Count; // and so is what follows
                return true;
            }

            outside = range.IsBefore(path);
            if (outside && !range.BeginsBelow(path)) return true;
        }

        var error = frame.Names.Status(frame.Directory, index, out var status);
        if (error != PosixError.None)
        {
            Warn(path, error);
            return true;
        }

        var isDirectory = status.Kind == EntryKind.Directory;
        var relative = path.AsSpan(Math.Min(path.Length, root.CatalogName.Length + 1));
        if (!options.Exclude.IsEmpty && options.Exclude.IsMatch(relative, isDirectory))
        {
            if (!outside) Excluded++;
            return true;
        }

        frame.ChildIncluded = frame.Included || options.Include.IsEmpty || options.Include.IsMatch(relative, isDirectory);
        if (!frame.ChildIncluded && !isDirectory)
        {
            if (!outside) Excluded++;
            return true;
        }

        if (outside && !isDirectory) return true; // it was a directory when the range was chosen
        if (status.Kind is { } kind) entry = new WalkedEntry(path, frame.Node, name.Length, kind, status);
        else Sockets++;
        return true;
    }

    private Frame? Enter(Descriptor holder, byte[] name, WalkedDirectory node, byte[] path, in FileStatus expected, bool included)
    {
        var error = DirectoryCalls.OpenDirectory(holder, name, out var directory);
        if (error == PosixError.None)
        {
            // Another directory may have taken the place between the two calls.
            error = FileCalls.Status(directory!, out var status);
            if (error == PosixError.None && !status.IsSameFile(expected)) error = PosixError.NoEntry;
        }

        var names = _spareNames.TryPop(out var spare) ? spare : new DirectoryNames();
        if (error == PosixError.None) error = names.Read(directory!, _buffer);
        if (error == PosixError.None) return new Frame(directory!, names, node, path, included);
        directory?.Dispose();
        _spareNames.Push(names);
        warnings.Add($"What {ByteName.Display(path)} holds was left out: {PosixException.Reason(error)}.");
        return null;
    }

    private void Leave(Frame frame)
    {
        frame.Directory.Dispose();
        if (_spareNames.Count < 16) _spareNames.Push(frame.Names);
    }

    private void Warn(byte[] path, PosixError error) => warnings.Add(error == PosixError.NoEntry
        ? $"{ByteName.Display(path)} vanished during the backup."
        : $"{ByteName.Display(path)} was left out: {PosixException.Reason(error)}.");

    private sealed class Frame(Descriptor directory, DirectoryNames names, WalkedDirectory node, byte[] path, bool included)
    {
        public Descriptor Directory { get; } = directory;

        public DirectoryNames Names { get; } = names;

        public WalkedDirectory Node { get; } = node;

        public byte[] Path { get; } = path;

        /// <summary>Whether an include glob matched this directory or one above.</summary>
        public bool Included { get; } = included;

        public bool ChildIncluded { get; set; }

        public int Index { get; set; }
    }
}
