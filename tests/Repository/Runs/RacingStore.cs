using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Repository.Runs;

/// <summary>Lets somebody else be faster: does something right before the first object below a prefix is created.</summary>
internal sealed class RacingStore(IObjectStore inner, string prefix, Func<Task> before) : IObjectStore
{
    private Func<Task>? _before = before;

    public string Description => inner.Description;

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (name.StartsWith(prefix, StringComparison.Ordinal) && Interlocked.Exchange(ref _before, null) is { } race) await race();
        return await inner.CreateAsync(name, content, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
