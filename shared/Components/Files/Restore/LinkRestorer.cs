using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Gives a file that is in place its further names.</summary>
internal static class LinkRestorer
{
    /// <summary>Links; false if the name must be restored as a file of its own.</summary>
    internal static bool TryLink(RestoreContext context, PendingLink link)
    {
        var root = link.Target.Root;
        if (!root.IsOpen) return false;
        if (context.HasFailed(link.Entry.HardLinkTo.Span)) return false;
        if (OpenFirst(root.Descriptor, link.FirstRelative, out var holder) != PosixError.None) return false;
        using var open = holder;
        var from = holder ?? root.Descriptor;
        var firstName = ByteName.LastPart(link.FirstRelative);
        if (DirectoryCalls.Status(from, firstName, out var first) != PosixError.None) return false;

        var error = DirectoryCalls.Link(from, firstName, link.Directory.Descriptor, link.Name);
        if (error == PosixError.Exists && context.MayReplace) error = Replace(context, link, from, firstName, first);
        if (error != PosixError.None) return false;
        context.AddFile(0, 0);
        return true;
    }

    private static PosixError Replace(
        RestoreContext context, PendingLink link, Descriptor from, ReadOnlySpan<byte> firstName, in FileStatus first)
    {
        var directory = link.Directory.Descriptor;
        var error = DirectoryCalls.Status(directory, link.Name, out var existing);
        if (error == PosixError.None && existing.IsSameFile(first)) return PosixError.None;
        var temporary = context.NewTemporaryName();
        error = DirectoryCalls.Link(from, firstName, directory, temporary);
        if (error != PosixError.None) return error;
        error = DirectoryCalls.Rename(directory, temporary, directory, link.Name, RenameMode.Replace);
        if (error != PosixError.None) _ = DirectoryCalls.Unlink(directory, temporary);
        return error;
    }

    // Null if the first name lies in the root itself.
    private static PosixError OpenFirst(Descriptor root, ReadOnlySpan<byte> relative, out Descriptor? holder)
    {
        holder = null;
        var above = ByteName.Directory(relative);
        if (above.IsEmpty) return PosixError.None;
        foreach (var range in above.Split((byte)'/'))
        {
            using var before = holder;
            var error = DirectoryCalls.OpenDirectory(before ?? root, above[range], out holder);
            if (error != PosixError.None) return error;
        }

        return PosixError.None;
    }
}
