using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Repository.Sessions;

/// <summary>A store that is full after so many bytes, and slow when told so.</summary>
internal sealed class FullStore(IObjectStore inner) : IObjectStore
{
    private long _left = long.MaxValue;

    public long BytesLeft
    {
        get => Interlocked.Read(ref _left);
        set => Interlocked.Exchange(ref _left, value);
    }

    public string Description => inner.Description;

    /// <summary>Packs are not written before this has ended.</summary>
    public Task Open { get; set; } = Task.CompletedTask;

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (name.StartsWith("packs/", StringComparison.Ordinal)) await Open.WaitAsync(cancellationToken);
        return Interlocked.Add(ref _left, -content.Length) < 0
            ? throw new StoreFullException("The store is full; make room.")
            : await inner.CreateAsync(name, content, cancellationToken);
    }

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
