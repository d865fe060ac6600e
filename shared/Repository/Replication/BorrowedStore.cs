using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>A store that stays somebody else's: disposing of this leaves it open.</summary>
internal sealed class BorrowedStore(IObjectStore inner) : IObjectStore, IPurgingStore
{
    public ValueTask<string?> PurgeAsync(string name, CancellationToken cancellationToken) => inner.PurgeAsync(name, cancellationToken);

    public string Description => inner.Description;

    public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.CreateAsync(name, content, cancellationToken);

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
