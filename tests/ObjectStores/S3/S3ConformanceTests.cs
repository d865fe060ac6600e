using Amazon.S3;
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

/// <summary>The same below a prefix, beside objects of somebody else, while a third of all requests goes wrong.</summary>
public sealed class S3FaultyConformanceTests : ObjectStoreConformance
{
    private FaultProxy? _proxy;

    protected override int ManyObjects => 601;

    protected override async ValueTask<IObjectStore> OpenAsync()
    {
        var server = await TestServers.RgwAsync();
        _proxy = await FaultProxy.StartAsync(server.Port);
        _proxy.Choose = new FaultPlan(4711).Choose;
        var options = await Stores.NewBucketAsync("site/one");
        await using var neighbour = new S3ObjectStore(options with { Prefix = "site/one-more" });
        await neighbour.CreateAsync("packs/theirs", new byte[3], None);
        await using var above = new S3ObjectStore(options with { Prefix = "site" });
        await above.CreateAsync("one.txt", new byte[3], None);
        return new S3ObjectStore(options with { Endpoint = RgwServer.EndpointAt(_proxy.Port) });
    }

    protected override ValueTask CleanUpAsync() => _proxy?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>
/// The same in parts. This gateway ignores the condition on the completion of an upload, so the proxy stands in for a service that honours
/// it, as Amazon's does.
/// </summary>
public sealed class S3MultipartConformanceTests : ObjectStoreConformance
{
    private FaultProxy? _proxy;
    private AmazonS3Client? _client;

    protected override int ManyObjects => 51;

    protected override async ValueTask<IObjectStore> OpenAsync()
    {
        var options = await Stores.NewBucketAsync("parts");
        _proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
        _client = Stores.S3Client(options.Endpoint);
        _proxy.Refuse = S3Services.HonourOnCompletion(_client, options.Bucket);
        return new S3ObjectStore(options with
        {
            Endpoint = RgwServer.EndpointAt(_proxy.Port), Limits = Stores.Limits with { SinglePutLimit = 1 << 20 },
        });
    }

    [Fact]
    public async Task Large_objects_do_go_in_parts()
    {
        (await Store.CreateAsync("large", Bytes(12 << 20), None)).ShouldBeTrue();
        var parts = _proxy!.Requests.Count(r => r.Method == "PUT" && r.Target.Contains("partNumber=", StringComparison.Ordinal));
        parts.ShouldBe(3 + 1); // one of the probe
        (await Store.CreateAsync("large", Bytes(13 << 20), None)).ShouldBeFalse();
        var left = await _client!.ListMultipartUploadsAsync(_proxy.Requests[^1].Target.Split('/')[1]);
        (left.MultipartUploads ?? []).ShouldBeEmpty();
    }

    protected override async ValueTask CleanUpAsync()
    {
        _client?.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
    }
}

/// <summary>The same on a service that ignores the condition altogether, where one process alone writes.</summary>
public sealed class S3SingleWriterConformanceTests : ObjectStoreConformance
{
    private FaultProxy? _proxy;
    private AmazonS3Client? _client;

    protected override int ManyObjects => 51;

    protected override async ValueTask<IObjectStore> OpenAsync()
    {
        var options = await Stores.NewBucketAsync();
        _proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
        _client = Stores.S3Client(options.Endpoint);
        _proxy.Before = S3Services.Ignore(_client, options.Bucket);
        return new S3ObjectStore(options with
        {
            Endpoint = RgwServer.EndpointAt(_proxy.Port), ConditionalCreate = S3ConditionalCreate.SingleWriter,
        });
    }

    protected override async ValueTask CleanUpAsync()
    {
        _client?.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
    }
}
