using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Repository.Runs;

/// <summary>Lets so many changes through, and then breaks everything off.</summary>
internal sealed class LimitedStore(IObjectStore inner, int changes) : IObjectStore
{
    private int _left = changes;

    public string Description => inner.Description;

    public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Count();
        return inner.CreateAsync(name, content, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        Count();
        return inner.DeleteAsync(name, cancellationToken);
    }

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Count()
    {
        if (Interlocked.Decrement(ref _left) < 0) throw new OperationCanceledException("The process was killed, as it were.");
    }
}
