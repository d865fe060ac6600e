using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.Remote;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>The kinds of store that tests run on.</summary>
public enum StoreKind
{
    S3,
    AzureBlob,
}

/// <summary>A store in a new bucket or container, with a proxy between it and the server.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private readonly Func<int?, RemoteLimits, IObjectStore> _open;

    private TestStore(FaultProxy proxy, Func<int?, RemoteLimits, IObjectStore> open) => (Proxy, _open) = (proxy, open);

    public FaultProxy Proxy { get; }

    public static TheoryData<StoreKind> Kinds => [StoreKind.S3, StoreKind.AzureBlob];

    public static async Task<TestStore> NewAsync(StoreKind kind)
    {
        if (kind == StoreKind.S3)
        {
            var options = await Stores.NewBucketAsync();
            var proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
            return new TestStore(proxy, (port, limits) => new S3ObjectStore(options with
            {
                Endpoint = port is { } p ? RgwServer.EndpointAt(p) : options.Endpoint, Limits = limits,
            }));
        }
        else
        {
            var options = await Stores.NewContainerAsync();
            var proxy = await FaultProxy.StartAsync((await TestServers.AzuriteAsync()).Port);
            return new TestStore(proxy, (port, limits) => new AzureBlobObjectStore(options with
            {
                ConnectionString = port is { } p ? AzuriteServer.ConnectionStringAt(p) : options.ConnectionString, Limits = limits,
            }));
        }
    }

    /// <summary>A store that goes through the proxy.</summary>
    public IObjectStore Open(RemoteLimits? limits = null) => _open(Proxy.Port, limits ?? Stores.Limits);

    /// <summary>A store that goes to the server itself: somebody else.</summary>
    public IObjectStore OpenDirect() => _open(null, Stores.Limits);

    public ValueTask DisposeAsync() => Proxy.DisposeAsync();
}
