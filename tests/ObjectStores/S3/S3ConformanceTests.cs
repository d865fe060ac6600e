using FunctionsBackup.Storage;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.S3;

/// <summary>The suite of every store, on a real gateway.</summary>
public sealed class S3ConformanceTests : ObjectStoreConformance
{
    protected override async ValueTask<IObjectStore> OpenAsync() => new S3ObjectStore(await Stores.NewBucketAsync());
}

/// <summary>The same below a prefix, beside objects of somebody else.</summary>
public sealed class S3PrefixConformanceTests : ObjectStoreConformance
{
    protected override async ValueTask<IObjectStore> OpenAsync()
    {
        var options = await Stores.NewBucketAsync("site/one");
        await using var neighbour = new S3ObjectStore(options with { Prefix = "site/one-more" });
        await neighbour.CreateAsync("packs/theirs", new byte[3], None);
        await using var below = new S3ObjectStore(options with { Prefix = "site" });
        await below.CreateAsync("one.txt", new byte[3], None);
        return new S3ObjectStore(options);
    }
}

/// <summary>The same while a third of all requests goes wrong.</summary>
public sealed class S3FaultyConformanceTests : ObjectStoreConformance
{
    private FaultProxy? _proxy;

    protected override int ManyObjects => 701;

    protected override async ValueTask<IObjectStore> OpenAsync()
    {
        var server = await TestServers.RgwAsync();
        _proxy = await FaultProxy.StartAsync(server.Port);
        _proxy.Choose = new FaultPlan(4711).Choose;
        return new S3ObjectStore((await Stores.NewBucketAsync("faulty")) with { Endpoint = RgwServer.EndpointAt(_proxy.Port) });
    }

    protected override ValueTask CleanUpAsync() => _proxy?.DisposeAsync() ?? ValueTask.CompletedTask;
}
