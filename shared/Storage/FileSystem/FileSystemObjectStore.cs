using System.Runtime.CompilerServices;
using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// Objects as files below a folder. An object is written into a folder for incomplete ones, synced, and then given its name in one step
/// that fails if the name is taken; when a create or delete returns, its folder entry is synced too. A crash leaves at most a file in the
/// folder for incomplete ones, which no listing shows and <see cref="CleanTemporaryAsync"/> removes.
/// </summary>
/// <remarks>
/// The folder must exist: <see cref="Initialize"/> makes it, nothing else does, so that a backup to a disk that is not mounted fails instead
/// of filling the disk below the mount point. An object cannot be named like the folder of another (<c>a</c> beside <c>a/b</c>). A read
/// that runs while its object is deleted returns the object's bytes or says that it is missing.
/// </remarks>
public sealed class FileSystemObjectStore : IObjectStore
{
    private const int Threads = 16, OpenFiles = 64, ListBatch = 512;

    private readonly StoreLayout _layout;
    private readonly TimeProvider _time;
    private readonly DurableFolders _folders;
    private readonly ReadHandles _handles;
    private readonly ObjectWriter _writer = new();
    private readonly BlockingThreads _threads = new("object store", Threads);
    private volatile bool _disposed;

    /// <summary>A store in <paramref name="root"/>, which is touched only when the store is used.</summary>
    public FileSystemObjectStore(string root, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        _layout = new StoreLayout(root);
        _time = timeProvider ?? TimeProvider.System;
        _folders = new DurableFolders(_layout);
        _handles = new ReadHandles(_layout, OpenFiles);
    }

    public string Description => $"folder {_layout.Root}";

    /// <summary>The folder, absolute.</summary>
    public string Root => _layout.Root;

    internal ObjectWriter Writer => _writer;

    /// <summary>Makes <paramref name="root"/> a store, durably: the folder, those above it, and the one for incomplete objects. Idempotent.</summary>
    /// <exception cref="StoreException">It cannot be made.</exception>
    public static void Initialize(string root)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        new StoreLayout(root).Initialize();
    }

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        return await Run(() => Create(name, content.Span, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        return await Run(() => Find(name), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return await Run(() => Read(name, offset, destination, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.CheckPrefix(prefix);
        var folders = new Stack<(string Prefix, string[] Entries, int Next)>();
        folders.Push((prefix, await Run(() => Entries(prefix), cancellationToken).ConfigureAwait(false), 0));
        while (folders.TryPop(out var folder))
        {
            if (folder.Next == folder.Entries.Length) continue;
            var next = folder.Next;
            if (folder.Entries[next].EndsWith('/'))
            {
                folders.Push(folder with { Next = next + 1 });
                var below = folder.Prefix + folder.Entries[next];
                folders.Push((below, await Run(() => Entries(below), cancellationToken).ConfigureAwait(false), 0));
                continue;
            }

            while (next < folder.Entries.Length && next - folder.Next < ListBatch && !folder.Entries[next].EndsWith('/')) next++;
            folders.Push(folder with { Next = next });
            var names = folder.Entries[folder.Next..next].Select(entry => folder.Prefix + entry).ToArray();
            foreach (var found in await Run(() => FolderLister.Describe(_layout, names), cancellationToken).ConfigureAwait(false)) yield return found;
        }
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        return await Run(() => Delete(name), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Removes incomplete objects that nobody has written to for longer than <paramref name="olderThan"/>: what crashed writers left. Choose
    /// it longer than any write can take; nothing calls this by itself.
    /// </summary>
    /// <returns>Files removed and their bytes.</returns>
    public async ValueTask<(int Files, long Bytes)> CleanTemporaryAsync(TimeSpan olderThan, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(olderThan.Ticks, nameof(olderThan));
        return await Run(() => CleanTemporary(_time.GetUtcNow() - olderThan, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Bytes that may still be written to the file system of the store.</summary>
    public async ValueTask<long> GetFreeBytesAsync(CancellationToken cancellationToken) =>
        await Run(
            () =>
            {
                Check(PosixFile.FreeSpace(_layout.Root, out var bytes), "look for free space");
                return bytes;
            },
            cancellationToken).ConfigureAwait(false);

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        _handles.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<T> Run<T>(Func<T> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _threads.RunAsync(
            () =>
            {
                _layout.Anchor();
                return work();
            },
            cancellationToken);
    }

    private bool Create(string name, ReadOnlySpan<byte> content, CancellationToken cancellationToken)
    {
        // Only a saving: the rename below is what decides.
        if (Find(name) is not null) return Settle(name, created: false);
        var incomplete = _layout.NewIncomplete();
        var deed = $"create object {name}";
        try
        {
            var error = _writer.Write(incomplete, content, cancellationToken);
            if (error is Errno.ENOENT or Errno.ENOTDIR)
            {
                _layout.EnsurePresent();
                throw FileSystemErrors.NotAStore(_layout.Root);
            }

            Check(error, deed);
            cancellationToken.ThrowIfCancellationRequested();
            return Settle(name, Publish(name, incomplete, deed));
        }
        finally
        {
            PosixFile.Unlink(incomplete); // gone already unless something failed; a leftover is harmless
        }
    }

    /// <summary>Gives a complete file its name; false if the name is taken.</summary>
    private bool Publish(string name, string incomplete, string deed)
    {
        var path = _layout.PathOf(name);
        for (var attempt = 0; ; attempt++)
        {
            var error = _folders.MakeFor(name);
            if (error == Errno.None) error = ExclusiveRename.Move(incomplete, path);
            if (error == Errno.None) return true;
            if (error == Errno.EEXIST && Find(name) is not null) return false;
            if (error == Errno.ENOENT)
            {
                _layout.EnsurePresent();
                _folders.Forget();
                if (attempt == 0) continue;
            }

            Check(error, deed);
        }
    }

    /// <summary>Makes the entry of an object durable, also one that somebody else has just created: the caller is going to rely on it.</summary>
    private bool Settle(string name, bool created)
    {
        Check(_folders.MakeFor(name), $"create object {name}");
        Check(_folders.SyncFor(name), $"create object {name}");
        return created;
    }

    private ObjectInfo? Find(string name)
    {
        var error = PosixFile.Status(_layout.PathOf(name), out var status);
        if (error is Errno.ENOENT or Errno.ENOTDIR)
        {
            _layout.EnsurePresent();
            return null;
        }

        Check(error, $"look for object {name}");
        return status.IsRegularFile ? new ObjectInfo(name, status.Size, status.Modified) : null;
    }

    private int Read(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var done = 0;
        var error = _handles.Use(name, file =>
        {
            for (done = 0; done < destination.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (offset > long.MaxValue - destination.Length) break; // no file reaches that far
                var result = PosixFile.ReadAt(file, destination.Span[done..], offset + done, out var read);
                if (result != Errno.None) return result;
                if (read == 0) break;
                done += read;
            }

            return Errno.None;
        });
        if (error is Errno.ENOENT or Errno.ENOTDIR or Errno.EISDIR or Errno.ELOOP)
        {
            _layout.EnsurePresent();
            throw new ObjectNotFoundException(name, Description);
        }

        Check(error, $"read object {name}");
        return done;
    }

    private string[] Entries(string prefix)
    {
        var path = _layout.PathOf(prefix.TrimEnd('/'));
        if (prefix.Length == 0) _layout.EnsurePresent(); // an empty mount point lists well, and wrongly
        try
        {
            return FolderLister.Read(path);
        }
        catch (DirectoryNotFoundException)
        {
            _layout.EnsurePresent();
            return [];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StoreAccessException($"Cannot list {path}: permission is denied; give user {Environment.UserName} access to it.", e);
        }
        catch (IOException e)
        {
            _layout.EnsurePresent();
            if (File.Exists(path)) return []; // an object, not a folder
            throw new StoreException($"Cannot list {path}: {e.Message}", e, transient: true);
        }
    }

    private bool Delete(string name)
    {
        var error = PosixFile.Status(_layout.PathOf(name), out var status);
        if (error == Errno.None && !status.IsRegularFile) return false;
        if (error == Errno.None) error = PosixFile.Unlink(_layout.PathOf(name));
        _handles.Forget(name);
        if (error is Errno.ENOENT or Errno.ENOTDIR)
        {
            _layout.EnsurePresent();
            return false;
        }

        Check(error, $"delete object {name}");
        Check(_folders.SyncFor(name), $"delete object {name}");
        return true;
    }

    private (int Files, long Bytes) CleanTemporary(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var (files, bytes) = (0, 0L);
        foreach (var entry in Entries(StoreLayout.IncompleteFolder + "/"))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = Path.Join(_layout.Incomplete, entry);
            if (PosixFile.Status(path, out var status) != Errno.None || !status.IsRegularFile || status.Modified > before) continue;
            var error = PosixFile.Unlink(path);
            if (error == Errno.ENOENT) continue;
            Check(error, $"remove incomplete object {entry}");
            (files, bytes) = (files + 1, bytes + status.Size);
        }

        return (files, bytes);
    }

    private void Check(Errno error, string deed)
    {
        if (error == Errno.None) return;
        if (error == Errno.ENOENT) _layout.EnsurePresent();
        throw FileSystemErrors.Translate(error, deed, _layout.Root);
    }
}
