using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// Creates objects: written under a name that no object can have, synced, given their name in one exclusive step, and the folder synced.
/// </summary>
internal sealed class ObjectCreator(StoreLayout layout, DurableFolders folders, ObjectWriter writer)
{
    /// <summary>True if this call created the object; durable either way when it returns.</summary>
    public bool Create(string name, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        // Only a saving: the rename below is what decides.
        if (layout.Find(name) is not null) return Settle(name, created: false);
        var incomplete = layout.NewIncomplete();
        try
        {
            var error = writer.Write(incomplete, content, cancellationToken);
            if (error is Errno.ENOENT or Errno.ENOTDIR)
            {
                layout.EnsurePresent();
                throw FileSystemErrors.NotAStore(layout.Root);
            }

            layout.Check(error, "create object", name);
            cancellationToken.ThrowIfCancellationRequested();
            return Settle(name, Publish(name, incomplete));
        }
        finally
        {
            PosixFile.Unlink(incomplete); // gone already unless something failed; a leftover is harmless
        }
    }

    /// <summary>Gives a complete file its name; false if the name is taken.</summary>
    private bool Publish(string name, string incomplete)
    {
        for (var attempt = 0; ; attempt++)
        {
            var error = folders.MakeFor(name);
            if (error == Errno.None) error = ExclusiveRename.Move(incomplete, layout.PathOf(name));
            if (error == Errno.None) return true;
            if (error == Errno.EEXIST && layout.Find(name) is not null) return false;
            if (error == Errno.ENOENT && attempt == 0)
            {
                // Somebody removed a folder that was known to be there.
                layout.EnsurePresent();
                folders.Forget();
                continue;
            }

            layout.Check(error, "create object", name);
        }
    }

    /// <summary>
    /// Makes the entry of an object durable, also one that somebody else has just created: the caller is going to rely on it.
    /// </summary>
    private bool Settle(string name, bool created)
    {
        layout.Check(folders.MakeFor(name), "create object", name);
        layout.Check(folders.SyncFor(name), "create object", name);
        return created;
    }
}
