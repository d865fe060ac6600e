using FunctionsBackup.Storage.Posix;
using Microsoft.Win32.SafeHandles;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// The files that were read last, kept open, because a restore reads the same pack many times. A kept handle is used only while its file
/// still has a name: an object that was deleted, here or by another process, and perhaps created anew, is never read from the old file.
/// </summary>
internal sealed class ReadHandles(StoreLayout layout, int capacity) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byUse = [];
    private bool _disposed;

    /// <summary>Runs <paramref name="read"/> on the object's file.</summary>
    public Errno Use(string name, Func<SafeFileHandle, Errno> read)
    {
        if (Take(name) is { } kept)
        {
            try
            {
                var error = PosixFile.Status(kept.File, out var status);
                if (error == Errno.None && status.Links > 0) error = read(kept.File);
                else if (error == Errno.None) error = Errno.ESTALE;
                if (error != Errno.ESTALE) return error;
            }
            finally
            {
                kept.Release();
            }

            Forget(name);
        }

        var opened = PosixFile.OpenRead(layout.PathOf(name), out var file);
        if (opened != Errno.None) return opened;
        var entry = new Entry(name, file);
        try
        {
            opened = PosixFile.Status(file, out var status);
            if (opened != Errno.None) return opened;
            if (!status.IsRegularFile) return Errno.EISDIR;
            Keep(entry);
            return read(file);
        }
        finally
        {
            entry.Release();
        }
    }

    public void Forget(string name)
    {
        lock (_lock)
            if (_entries.TryGetValue(name, out var node)) Remove(node);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            while (_byUse.First is { } node) Remove(node);
        }
    }

    private Entry? Take(string name)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(name, out var node)) return null;
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            node.Value.Retain();
            return node.Value;
        }
    }

    private void Keep(Entry entry)
    {
        lock (_lock)
        {
            if (_disposed || _entries.ContainsKey(entry.Name)) return; // somebody else was quicker
            entry.Retain();
            _entries.Add(entry.Name, _byUse.AddFirst(entry));
            if (_entries.Count > capacity) Remove(_byUse.Last!);
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _byUse.Remove(node);
        _entries.Remove(node.Value.Name);
        node.Value.Release();
    }

    /// <summary>An open file, closed when neither the cache nor a reader needs it.</summary>
    private sealed class Entry(string name, SafeFileHandle file)
    {
        private int _users = 1;

        public string Name { get; } = name;

        public SafeFileHandle File { get; } = file;

        public void Retain() => Interlocked.Increment(ref _users);

        public void Release()
        {
            if (Interlocked.Decrement(ref _users) == 0) File.Dispose();
        }
    }
}
