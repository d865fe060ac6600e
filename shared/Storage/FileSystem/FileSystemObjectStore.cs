using System.Runtime.CompilerServices;
using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// Objects as files below a folder. An object is written into a folder for incomplete ones, synced, and then given its name in one step
/// that fails if the name is taken; when a create or delete returns, its folder entry is synced too. A crash leaves at most a file in the
/// folder for incomplete ones, which no listing shows and <see cref="CleanTemporaryAsync"/> removes.
/// </summary>
/// <remarks>
/// The folder must exist: <see cref="Initialize"/> makes it, nothing else does, so that a backup to a disk that is not mounted fails
/// instead of filling the disk below the mount point. An object cannot be named like the folder of another (<c>a</c> beside <c>a/b</c>).
/// A read that runs while its object is deleted returns the object's bytes or says that it is missing. Files and folders with names that
/// no object can have, and symbolic links, are not the store's and are left alone.
/// </remarks>
public sealed class FileSystemObjectStore : IObjectStore
{
    private const int Threads = 16, OpenFiles = 64, ListBatch = 512;

    private readonly StoreLayout _layout;
    private readonly TimeProvider _time;
    private readonly DurableFolders _folders;
    private readonly ObjectCreator _creator;
    private readonly FolderLister _lister;
    private readonly ReadHandles _handles;
    private readonly BlockingThreads _threads = new("object store", Threads);
    private volatile bool _disposed;

    /// <summary>A store in <paramref name="root"/>, which is touched only when the store is used.</summary>
    public FileSystemObjectStore(string root, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        _layout = new StoreLayout(root);
        _time = timeProvider ?? TimeProvider.System;
        _folders = new DurableFolders(_layout);
        _creator = new ObjectCreator(_layout, _folders, Writer);
        _lister = new FolderLister(_layout);
        _handles = new ReadHandles(_layout, OpenFiles);
    }

    public string Description => $"folder {_layout.Root}";

    /// <summary>The folder, absolute.</summary>
    public string Root => _layout.Root;

    internal ObjectWriter Writer { get; } = new();

    /// <summary>
    /// Makes <paramref name="root"/> a store, durably: the folder, those above it, and the one for incomplete objects. Idempotent.
    /// </summary>
    /// <exception cref="StoreException">It cannot be made.</exception>
    public static void Initialize(string root)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        new StoreLayout(root).Initialize();
    }

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        return await Run(() => _creator.Create(name, content.Span, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        return await Run(() => _layout.Find(name), cancellationToken).ConfigureAwait(false);
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
        folders.Push((prefix, await Run(() => _lister.Read(prefix), cancellationToken).ConfigureAwait(false), 0));
        while (folders.TryPop(out var folder))
        {
            if (folder.Next == folder.Entries.Length) continue;
            var next = folder.Next;
            if (folder.Entries[next].EndsWith('/'))
            {
                folders.Push(folder with { Next = next + 1 });
                var below = folder.Prefix + folder.Entries[next];
                folders.Push((below, await Run(() => _lister.Read(below), cancellationToken).ConfigureAwait(false), 0));
                continue;
            }

            while (next < folder.Entries.Length && next - folder.Next < ListBatch && !folder.Entries[next].EndsWith('/')) next++;
            folders.Push(folder with { Next = next });
            var names = folder.Entries[folder.Next..next].Select(entry => folder.Prefix + entry).ToArray();
            foreach (var found in await Run(() => _lister.Describe(names), cancellationToken).ConfigureAwait(false)) yield return found;
        }
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        return await Run(() => Delete(name), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Removes incomplete objects that nobody has written to for longer than <paramref name="olderThan"/>: what crashed writers left.
    /// Choose it longer than any write can take; nothing calls this by itself.
    /// </summary>
    /// <returns>Files removed and their bytes.</returns>
    public async ValueTask<(int Files, long Bytes)> CleanTemporaryAsync(TimeSpan olderThan, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(olderThan.Ticks, nameof(olderThan));
        return await Run(() => CleanTemporary(olderThan, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Bytes that may still be written to the file system of the store.</summary>
    public async ValueTask<long> GetFreeBytesAsync(CancellationToken cancellationToken) =>
        await Run(FreeBytes, cancellationToken).ConfigureAwait(false);

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

    private int Read(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var done = 0;
        var error = _handles.Use(name, file =>
        {
            if (offset > long.MaxValue - destination.Length) return Errno.None; // no file reaches that far
            for (done = 0; done < destination.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
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

        _layout.Check(error, "read object", name);
        return done;
    }

    private bool Delete(string name)
    {
        if (_layout.Find(name) is null) return false;
        var error = PosixFile.Unlink(_layout.PathOf(name));
        _handles.Forget(name);
        if (error is Errno.ENOENT or Errno.ENOTDIR)
        {
            _layout.EnsurePresent();
            return false; // somebody else was quicker
        }

        _layout.Check(error, "delete object", name);
        _layout.Check(_folders.SyncFor(name), "delete object", name);
        return true;
    }

    private (int Files, long Bytes) CleanTemporary(TimeSpan olderThan, CancellationToken cancellationToken)
    {
        var (files, bytes) = (0, 0L);
        foreach (var entry in _lister.Read(StoreLayout.IncompleteFolder + "/"))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = $"{StoreLayout.IncompleteFolder}/{entry}";
            if (_layout.Find(name) is not { } found || _time.GetUtcNow() - found.LastModified < olderThan) continue;
            var error = PosixFile.Unlink(_layout.PathOf(name));
            if (error == Errno.ENOENT) continue;
            _layout.Check(error, "remove file", name);
            (files, bytes) = (files + 1, bytes + found.Size);
        }

        return (files, bytes);
    }

    private long FreeBytes()
    {
        _layout.Check(PosixFile.FreeSpace(_layout.Root, out var bytes), "look for free space", "");
        return bytes;
    }
}
