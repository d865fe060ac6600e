using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Removes a name and all that is below it, never following a link.</summary>
internal static class TreeRemover
{
    private const uint OwnerAll = 0x1C0;

    /// <summary>Removes as much as can be; the first error is returned.</summary>
    internal static PosixError Remove(Descriptor directory, ReadOnlySpan<byte> name)
    {
        // A stack of its own, since the depth of the tree is not ours to choose.
        var stack = new Stack<Frame>();
        var first = RemoveOrEnter(directory, name, stack);
        while (stack.TryPeek(out var frame))
        {
            PosixError error;
            if (frame.Index < frame.Names.Count)
            {
                error = RemoveOrEnter(frame.Directory, frame.Names[frame.Index++], stack);
            }
            else
            {
                stack.Pop();
                frame.Directory.Dispose();
                error = DirectoryCalls.RemoveDirectory(frame.Holder, frame.Name);
            }

            if (first == PosixError.None) first = error;
        }

        return first;
    }

    private static PosixError RemoveOrEnter(Descriptor holder, ReadOnlySpan<byte> name, Stack<Frame> stack)
    {
        var error = DirectoryCalls.Unlink(holder, name);
        if (error == PosixError.NoEntry) return PosixError.None;
        if (error != PosixError.IsDirectory) return error;
        error = DirectoryCalls.OpenDirectory(holder, name, out var directory);
        if (error != PosixError.None) return error;
        if (!Accounts.IsRoot && FileCalls.Status(directory!, out var status) == PosixError.None && (status.Mode & OwnerAll) != OwnerAll)
            _ = FileCalls.SetMode(directory!, OwnerAll);
        var names = new DirectoryNames();
        error = names.Read(directory!);
        stack.Push(new Frame(holder, name.ToArray(), directory!, names));
        return error;
    }

    private sealed class Frame(Descriptor holder, byte[] name, Descriptor directory, DirectoryNames names)
    {
        internal Descriptor Holder { get; } = holder;

        internal byte[] Name { get; } = name;

        internal Descriptor Directory { get; } = directory;

        internal DirectoryNames Names { get; } = names;

        internal int Index { get; set; }
    }
}
