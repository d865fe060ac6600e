using System.Runtime.InteropServices;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Crash.Host;

/// <summary>Where in a write the process dies.</summary>
public enum KillMoment
{
    /// <summary>Nothing of it has happened.</summary>
    Before,

    /// <summary>Half of the object lies under a temporary name, as FileSystemObjectStore writes it.</summary>
    Half,

    /// <summary>It has happened, and nobody was told.</summary>
    After,
}

/// <summary>
/// Numbers the writes (creates and deletes) that reach a store, and kills this process with SIGKILL at one of them: no code of the product
/// runs afterwards, no buffer is flushed, no lock is released.
/// </summary>
/// <param name="inner">The real store.</param>
/// <param name="root">Its folder.</param>
/// <param name="killAt">Number of the write, from 1; 0: never.</param>
/// <param name="moment">Where in it.</param>
public sealed partial class KillingObjectStore(IObjectStore inner, string root, int killAt, KillMoment moment) : IObjectStore
{
    private int _writes;

    public string Description => inner.Description;

    /// <summary>Writes so far.</summary>
    public int Writes => Volatile.Read(ref _writes);

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var mine = Interlocked.Increment(ref _writes) == killAt;
        if (mine && moment == KillMoment.Half)
        {
            var temporary = Path.Combine(root, "~incomplete", Guid.NewGuid().ToString("N"));
            await File.WriteAllBytesAsync(temporary, content[..(content.Length / 2)].ToArray(), cancellationToken);
        }

        if (mine && moment != KillMoment.After) Die();
        var created = await inner.CreateAsync(name, content, cancellationToken);
        if (mine) Die();
        return created;
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var mine = Interlocked.Increment(ref _writes) == killAt;
        if (mine && moment != KillMoment.After) Die();
        var deleted = await inner.DeleteAsync(name, cancellationToken);
        if (mine) Die();
        return deleted;
    }

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private static void Die()
    {
        if (Kill(Environment.ProcessId, 9) != 0) throw new InvalidOperationException("This process cannot be killed.");
        new ManualResetEventSlim().Wait(); // the signal is on its way
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
