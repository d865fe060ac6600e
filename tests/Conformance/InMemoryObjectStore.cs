using System.Runtime.CompilerServices;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Conformance;

/// <summary>
/// A store in memory, for tests of what is built on a store. Tests may also look at the objects, damage them, and copy the whole store, as
/// if the machine had crashed at this moment.
/// </summary>
public sealed class InMemoryObjectStore(TimeProvider? clock = null) : IObjectStore
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (byte[] Content, DateTimeOffset Created)> _objects = new(StringComparer.Ordinal);

    public string Description => "memory";

    /// <summary>Gives the times of new objects; may be changed at any time.</summary>
    public TimeProvider Clock { get; set; } = clock ?? TimeProvider.System;

    /// <summary>All names, in order.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock) return [.. _objects.Keys];
        }
    }

    /// <summary>Sum of all sizes, bytes.</summary>
    public long TotalBytes
    {
        get
        {
            lock (_lock) return _objects.Values.Sum(o => (long)o.Content.Length);
        }
    }

    /// <summary>An object's bytes, copied.</summary>
    public byte[] Get(string name)
    {
        lock (_lock) return [.. _objects[name].Content];
    }

    /// <summary>
    /// Puts bytes under a name whether or not there are some already, which no store allows: damage for tests. Keeps the time.
    /// </summary>
    public void Overwrite(string name, ReadOnlySpan<byte> content)
    {
        lock (_lock)
        {
            var created = _objects.TryGetValue(name, out var old) ? old.Created : Clock.GetUtcNow();
            _objects[name] = (content.ToArray(), created);
        }
    }

    /// <summary>Inverts the bits of <paramref name="mask"/> in one byte of an object.</summary>
    public void Flip(string name, long offset, byte mask = 1)
    {
        var content = Get(name);
        content[offset] ^= mask;
        Overwrite(name, content);
    }

    /// <summary>A store with the same objects, independent from now on.</summary>
    public InMemoryObjectStore Copy()
    {
        var copy = new InMemoryObjectStore(Clock);
        lock (_lock)
            foreach (var (name, value) in _objects) copy._objects.Add(name, value);
        return copy;
    }

    public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock) return ValueTask.FromResult(_objects.TryAdd(name, (content.ToArray(), Clock.GetUtcNow())));
    }

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock) return ValueTask.FromResult(_objects.TryGetValue(name, out var found) ? Describe(name, found) : null);
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        byte[] content;
        lock (_lock) content = _objects.TryGetValue(name, out var found) ? found.Content
            : throw new ObjectNotFoundException(name, Description);
        var count = (int)Math.Clamp(content.Length - offset, 0, destination.Length);
        if (count > 0) content.AsMemory((int)offset, count).CopyTo(destination);
        return ValueTask.FromResult(count);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.CheckPrefix(prefix);
        ObjectInfo[] found;
        lock (_lock)
        {
            found = [.. _objects.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(o => Describe(o.Key, o.Value))];
        }

        foreach (var info in found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await ValueTask.CompletedTask;
            yield return info;
        }
    }

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock) return ValueTask.FromResult(_objects.Remove(name));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static ObjectInfo Describe(string name, (byte[] Content, DateTimeOffset Created) found) =>
        new(name, found.Content.Length, found.Created);
}
