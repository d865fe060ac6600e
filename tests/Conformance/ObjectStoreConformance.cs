using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Conformance;

/// <summary>
/// What every <see cref="IObjectStore"/> must do. Derive one class per store; each test gets an empty store of its own, disposed by the
/// suite after the test.
/// </summary>
public abstract partial class ObjectStoreConformance : IAsyncLifetime
{
    private IObjectStore? _store;

    protected IObjectStore Store => _store ?? throw new InvalidOperationException("The store is opened before each test.");

    protected static CancellationToken None => CancellationToken.None;

    /// <summary>An empty store.</summary>
    protected abstract ValueTask<IObjectStore> OpenAsync();

    /// <summary>Removes what <see cref="OpenAsync"/> made; called after the store was disposed.</summary>
    protected virtual ValueTask CleanUpAsync() => ValueTask.CompletedTask;

    public async Task InitializeAsync() => _store = await OpenAsync();

    public async Task DisposeAsync()
    {
        if (_store is not null) await _store.DisposeAsync();
        await CleanUpAsync();
    }

    /// <summary>Bytes that differ from place to place, the same for the same seed.</summary>
    protected static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected async Task<byte[]> ReadAllAsync(string name)
    {
        var info = (await Store.FindAsync(name, None)).ShouldNotBeNull();
        var bytes = new byte[info.Size];
        (await Store.ReadAsync(name, 0, bytes, None)).ShouldBe(bytes.Length);
        return bytes;
    }

    protected async Task<List<ObjectInfo>> ListAsync(string prefix)
    {
        var list = new List<ObjectInfo>();
        await foreach (var info in Store.ListAsync(prefix, None)) list.Add(info);
        return list;
    }
}
