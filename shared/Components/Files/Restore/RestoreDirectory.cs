using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>
/// A directory of the target. It is made when the first thing in it is restored, and finished (extra names removed, metadata set, closed)
/// after everything in it is in place.
/// </summary>
internal sealed class RestoreDirectory(
    RestoreDirectory? parent, byte[] name, CatalogEntry? entry, RestoreTarget? target = null) : IDisposable
{
    private const uint OwnerAll = 0x1C0;

    private readonly HashSet<string> _children = [];
    private Descriptor? _descriptor;

    internal RestoreDirectory? Parent { get; } = parent;

    internal byte[] Name { get; } = name;

    /// <summary>What the catalog says of it; null if it only follows from a path below it.</summary>
    internal CatalogEntry? Entry { get; set; } = entry;

    /// <summary>Whether it was there before.</summary>
    internal bool Existed { get; private set; }

    /// <summary>Whether it is in a staging directory, which is new and which nobody looks into yet.</summary>
    internal bool IsPrivate { get; private set; } = parent?.IsPrivate == true;

    /// <summary>Whether it could not be made, so that nothing in it can be either.</summary>
    internal bool IsFailed { get; private set; }

    private string Display => ByteName.Display(Entry is null ? Name : Entry.Path.Span);

    internal bool IsOpen => _descriptor is not null;

    internal Descriptor Descriptor => _descriptor ?? throw new InvalidOperationException("The directory is not open.");

    /// <summary>For the root of a target, which is opened by its path.</summary>
    internal void Attach(Descriptor descriptor, bool existed, bool isPrivate = false) =>
        (_descriptor, Existed, IsPrivate) = (descriptor, existed, isPrivate);

    /// <summary>Notes a name that belongs here. May be called from several threads.</summary>
    internal void AddChild(ReadOnlySpan<byte> child)
    {
        lock (_children) _children.Add(System.Text.Encoding.Latin1.GetString(child));
    }

    /// <summary>Makes it, and those above it, if that was not done yet. Never follows a link.</summary>
    /// <returns>False if it cannot be made, after a warning.</returns>
    internal bool Open(RestoreContext context)
    {
        if (_descriptor is not null) return true;
        if (IsFailed) return false;
        if (Parent is null)
        {
            target!.OpenRoot(this);
            return true;
        }

        IsFailed = !Parent.Open(context);
        if (IsFailed) return false;
        IsPrivate = Parent.IsPrivate;
        var error = DirectoryCalls.MakeDirectory(Parent.Descriptor, Name, OwnerAll);
        if (error == PosixError.Exists) error = UseExisting(context);
        if (error == PosixError.None) error = OpenMade(context);
        if (error == PosixError.None) return true;
        if (RestoreContext.IsFatal(error)) PosixException.Check(error, "make the directory", Display);
        IsFailed = true;
        context.Warnings.Add(
            $"The directory {Display} was not restored, nor what it holds: {PosixException.Reason(error)}.");
        return false;
    }

    /// <summary>Sets what the catalog says, when everything in it is in place.</summary>
    internal void Finish(RestoreContext context)
    {
        if (_descriptor is not { } descriptor) return;
        if (context.IsDelta && context.Options.DeleteExtra && Existed) RemoveExtra(context, descriptor);
        if (Entry is not null) EntryMetadata.Apply(context, descriptor, Entry, Existed);
    }

    public void Dispose()
    {
        _descriptor?.Dispose();
        _descriptor = null;
    }

    private PosixError UseExisting(RestoreContext context)
    {
        var error = DirectoryCalls.Status(Parent!.Descriptor, Name, out var status);
        if (error != PosixError.None) return error;
        Existed = status.Kind == EntryKind.Directory;
        if (Existed) return PosixError.None;

        // A file or a link, wherever that may lead, is in the way of the directory.
        if (IsPrivate || !context.MayReplace) return PosixError.Exists;
        error = DirectoryCalls.Unlink(Parent.Descriptor, Name);
        return error == PosixError.None ? DirectoryCalls.MakeDirectory(Parent.Descriptor, Name, OwnerAll) : error;
    }

    private PosixError OpenMade(RestoreContext context)
    {
        var error = DirectoryCalls.OpenDirectory(Parent!.Descriptor, Name, out var descriptor);
        if (error == PosixError.AccessDenied && context.MayReplace)
        {
            // Ours, but closed to us: the mode that it should have is set when it is finished. It is no link, else the error were another;
            // and one that took its place this instant could be made writable by us only if it is ours.
            error = DirectoryCalls.SetMode(Parent.Descriptor, Name, OwnerAll);
            if (error == PosixError.None) error = DirectoryCalls.OpenDirectory(Parent.Descriptor, Name, out descriptor);
        }

        if (error != PosixError.None) return error;
        if (Existed && !Accounts.IsRoot && FileCalls.Status(descriptor!, out var status) == PosixError.None
            && (status.Mode & OwnerAll) != OwnerAll)
            error = FileCalls.SetMode(descriptor!, status.Mode | OwnerAll);
        _descriptor = descriptor;
        return error;
    }

    private void RemoveExtra(RestoreContext context, Descriptor descriptor)
    {
        var names = new DirectoryNames();
        PosixException.Check(names.Read(descriptor), "list", Name);
        for (var i = 0; i < names.Count; i++)
        {
            if (_children.Contains(System.Text.Encoding.Latin1.GetString(names[i]))) continue;
            var error = TreeRemover.Remove(descriptor, names[i]);
            if (error != PosixError.None)
                context.Warnings.Add(
                    $"{ByteName.Display(names[i])} is not in the recovery point and was not removed: {PosixException.Reason(error)}.");
        }
    }
}
