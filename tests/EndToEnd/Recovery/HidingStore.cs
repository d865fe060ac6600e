using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>A store as it was before some of its objects came.</summary>
internal sealed class HidingStore(IObjectStore inner, Func<string, bool> isHidden) : IObjectStore
{
    public string Description => inner.Description;

    public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.CreateAsync(name, content, cancellationToken);

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) =>
        isHidden(name) ? new((ObjectInfo?)null) : inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        isHidden(name) ? throw new ObjectNotFoundException(name, Description) : inner.ReadAsync(name, offset, destination, cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in inner.ListAsync(prefix, cancellationToken))
            if (!isHidden(item.Name)) yield return item;
    }

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    // The inner store belongs to its repository.
    public ValueTask DisposeAsync() => default;
}
