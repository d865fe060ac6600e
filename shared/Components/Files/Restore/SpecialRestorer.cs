using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Makes symbolic links, fifos and devices, each under a temporary name first if something is in its place.</summary>
internal static class SpecialRestorer
{
    internal static void Restore(RestoreContext context, RestoreDirectory directory, byte[] name, CatalogEntry entry)
    {
        if (IsThere(context, directory, name, entry)) return;
        var error = Make(directory.Descriptor, name, entry);
        var made = name;
        if (error == PosixError.Exists && context.MayReplace && !directory.IsPrivate)
        {
            made = context.NewTemporaryName();
            error = Make(directory.Descriptor, made, entry);
        }

        if (error == PosixError.None) EntryMetadata.Apply(context, directory.Descriptor, made, entry);
        if (error == PosixError.None && made != name)
        {
            error = DirectoryCalls.Rename(directory.Descriptor, made, directory.Descriptor, name, RenameMode.Replace);
            if (error != PosixError.None) _ = DirectoryCalls.Unlink(directory.Descriptor, made);
        }

        if (error == PosixError.None) return;
        if (RestoreContext.IsFatal(error)) PosixException.Check(error, "make", entry.Path.Span);
        context.Warnings.Add($"{ByteName.Display(entry.Path.Span)} was not restored: {PosixException.Reason(error)}.");
    }

    private static PosixError Make(Descriptor directory, byte[] name, CatalogEntry entry) => entry.Kind switch
    {
        EntryKind.SymbolicLink => DirectoryCalls.MakeSymbolicLink(entry.LinkTarget.Span, directory, name),
        EntryKind.Fifo => DirectoryCalls.MakeNode(directory, name, 0x1000 | 0x180, 0),
        EntryKind.CharacterDevice => DirectoryCalls.MakeNode(directory, name, 0x2000 | 0x180, entry.SpecialDevice),
        EntryKind.BlockDevice => DirectoryCalls.MakeNode(directory, name, 0x6000 | 0x180, entry.SpecialDevice),
        _ => PosixError.InvalidArgument,
    };

    // A link that leads where it should stays; its owner and time are set anew.
    private static bool IsThere(RestoreContext context, RestoreDirectory directory, byte[] name, CatalogEntry entry)
    {
        if (!context.IsDelta || entry.Kind != EntryKind.SymbolicLink) return false;
        if (DirectoryCalls.ReadLink(directory.Descriptor, name, out var target) != PosixError.None) return false;
        if (!entry.LinkTarget.Span.SequenceEqual(target)) return false;
        EntryMetadata.Apply(context, directory.Descriptor, name, entry);
        return true;
    }
}
