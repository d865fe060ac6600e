using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>
/// Owner, extended attributes, mode and times, in this order: a change of owner clears set-uid and capabilities, an access control list
/// changes the mode, and everything changes the time.
/// </summary>
internal static class EntryMetadata
{
    private const uint SetUser = 0x800;
    private const uint SetGroup = 0x400;

    /// <summary>Gives an open file or directory what its entry says.</summary>
    /// <param name="context">The restore.</param>
    /// <param name="file">Open; a file that existed before has attributes of its own, which go.</param>
    /// <param name="entry">What it should be.</param>
    /// <param name="existed">Whether it was there before the restore.</param>
    internal static void Apply(RestoreContext context, Descriptor file, CatalogEntry entry, bool existed)
    {
        if (context.RestoresOwners) Check(context, FileCalls.SetOwner(file, context.Owners.UserOf(entry), context.Owners.GroupOf(entry)), "set the owner of", entry);
        if (existed) RemoveOtherAttributes(file, entry);
        foreach (var attribute in entry.ExtendedAttributes)
            CheckAttribute(context, AttributeCalls.Write(file, attribute.Name.Span, attribute.Value.Span), attribute, entry);
        Check(context, FileCalls.SetMode(file, AllowedMode(context, entry)), "set the mode of", entry);
        Check(context, FileCalls.SetModified(file, entry.ModifiedNanoseconds), "set the time of", entry);
    }

    /// <summary>The same for what cannot be opened: a link, fifo or device that was just made.</summary>
    internal static void Apply(RestoreContext context, Descriptor directory, ReadOnlySpan<byte> name, CatalogEntry entry)
    {
        if (context.RestoresOwners)
        {
            var error = DirectoryCalls.SetOwner(directory, name, context.Owners.UserOf(entry), context.Owners.GroupOf(entry));
            Check(context, error, "set the owner of", entry);
        }

        foreach (var attribute in entry.ExtendedAttributes)
            CheckAttribute(context, AttributeCalls.Write(directory, name, attribute.Name.Span, attribute.Value.Span), attribute, entry);
        if (entry.Kind != EntryKind.SymbolicLink)
            Check(context, DirectoryCalls.SetMode(directory, name, AllowedMode(context, entry)), "set the mode of", entry);
        Check(context, DirectoryCalls.SetModified(directory, name, entry.ModifiedNanoseconds), "set the time of", entry);
    }

    // A set-uid file that now belongs to somebody else would run as somebody else.
    private static uint AllowedMode(RestoreContext context, CatalogEntry entry)
    {
        var mode = entry.Mode;
        if (context.RestoresOwners || (entry.UserId == context.User && entry.GroupId == context.Group)) return mode;
        if (context.Options.Ownership)
            context.WarnOnce("owner", "Owners were not restored, which only root may do; run the restore as root to have them.");
        if (entry.UserId != context.User) mode &= ~SetUser;
        if (entry.GroupId != context.Group && entry.Kind != EntryKind.Directory) mode &= ~SetGroup;
        return mode;
    }

    private static void RemoveOtherAttributes(Descriptor file, CatalogEntry entry)
    {
        if (AttributeCalls.ReadAll(file, out var found) != PosixError.None) return;
        foreach (var attribute in found)
        {
            // Labels of the security modules are the system's, and differ from one to the next.
            if (attribute.Name.Span.StartsWith("security."u8)) continue;
            if (!entry.ExtendedAttributes.Any(wanted => wanted.Name.Span.SequenceEqual(attribute.Name.Span)))
                _ = AttributeCalls.Remove(file, attribute.Name.Span);
        }
    }

    private static void CheckAttribute(RestoreContext context, PosixError error, ExtendedAttribute attribute, CatalogEntry entry)
    {
        if (error == PosixError.None) return;
        if (RestoreContext.IsFatal(error) && error != PosixError.NoSpace)
            throw new PosixException(error, "set an extended attribute of", ByteName.Display(entry.Path.Span));
        var name = ByteName.Display(attribute.Name.Span);
        context.WarnOnce(
            $"xattr {name} {error}",
            $"The extended attribute {name} of {ByteName.Display(entry.Path.Span)} (and perhaps of others) was not restored: "
            + $"{PosixException.Reason(error)}.");
    }

    private static void Check(RestoreContext context, PosixError error, string attempt, CatalogEntry entry)
    {
        if (error == PosixError.None) return;
        var exception = new PosixException(error, attempt, ByteName.Display(entry.Path.Span));
        if (RestoreContext.IsFatal(error)) throw exception;
        context.Warnings.Add(exception.Message);
    }
}
