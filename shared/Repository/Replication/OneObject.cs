using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>A store of one object that is in memory, so that its bytes can be checked by the code that reads it from any store.</summary>
internal sealed class OneObject(string name, ReadOnlyMemory<byte> bytes) : IObjectStore
{
    public string Description => "memory";

    public ObjectInfo Info { get; } = new(name, bytes.Length, default);

    public ValueTask<int> ReadAsync(string asked, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (asked != name) throw new ObjectNotFoundException(asked, Description);
        var rest = bytes[(int)Math.Min(offset, bytes.Length)..];
        var count = Math.Min(rest.Length, destination.Length);
        rest[..count].CopyTo(destination);
        return ValueTask.FromResult(count);
    }

    public ValueTask<ObjectInfo?> FindAsync(string asked, CancellationToken cancellationToken) =>
        ValueTask.FromResult(asked == name ? Info : null);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) =>
        new[] { Info }.Where(i => i.Name.StartsWith(prefix, StringComparison.Ordinal)).ToAsyncEnumerable();

    public ValueTask<bool> CreateAsync(string asked, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This store is for reading.");

    public ValueTask<bool> DeleteAsync(string asked, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This store is for reading.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
