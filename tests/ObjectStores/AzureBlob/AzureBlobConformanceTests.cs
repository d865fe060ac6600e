using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.AzureBlob;

/// <summary>The suite of every store, on Azurite.</summary>
public sealed class AzureBlobConformanceTests : ObjectStoreConformance
{
    protected override async ValueTask<IObjectStore> OpenAsync() => new AzureBlobObjectStore(await Stores.NewContainerAsync());
}

/// <summary>The same below a prefix, beside objects of somebody else, while a third of all requests goes wrong.</summary>
public sealed class AzureBlobFaultyConformanceTests : ObjectStoreConformance
{
    private FaultProxy? _proxy;

    protected override int ManyObjects => 601;

    protected override async ValueTask<IObjectStore> OpenAsync()
    {
        var server = await TestServers.AzuriteAsync();
        _proxy = await FaultProxy.StartAsync(server.Port);
        _proxy.Choose = new FaultPlan(4711).Choose;
        var options = await Stores.NewContainerAsync("site/one");
        await using var neighbour = new AzureBlobObjectStore(options with { Prefix = "site/one-more" });
        await neighbour.CreateAsync("packs/theirs", new byte[3], None);
        await using var above = new AzureBlobObjectStore(options with { Prefix = "site" });
        await above.CreateAsync("one.txt", new byte[3], None);
        return new AzureBlobObjectStore(options with
        {
            ConnectionString = AzuriteServer.ConnectionStringAt(_proxy.Port),
        });
    }

    protected override ValueTask CleanUpAsync() => _proxy?.DisposeAsync() ?? ValueTask.CompletedTask;
}
