using System.Net;
using System.Net.Sockets;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>What is tried again and what is not, and what a failure says.</summary>
public sealed class RetryTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task A_service_that_is_always_busy_is_asked_as_often_as_configured(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open(Stores.Limits with { Attempts = 5 });
        test.Proxy.Choose = _ => HttpFault.Busy;
        var error = await Should.ThrowAsync<StoreException>(async () => await store.FindAsync("x", None));
        error.IsTransient.ShouldBeTrue();
        error.Message.ShouldContain("503");
        test.Proxy.Requests.Count.ShouldBe(5);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task What_is_missing_is_asked_for_once(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open();
        await store.CreateAsync("there", new byte[1], None);
        test.Proxy.Forget();
        await Should.ThrowAsync<ObjectNotFoundException>(async () => await store.ReadAsync("x", 0, new byte[1], None));
        (await store.FindAsync("x", None)).ShouldBeNull();
        test.Proxy.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task An_error_that_is_cut_on_the_way_is_asked_for_again(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open();
        await store.CreateAsync("there", new byte[1], None);
        test.Proxy.Choose = request => request.Number % 2 == 1 ? HttpFault.CutAnswer : HttpFault.None;
        for (var i = 0; i < 6; i++)
        {
            await Should.ThrowAsync<ObjectNotFoundException>(async () => await store.ReadAsync("x", 0, new byte[1], None));
            (await store.FindAsync("x", None)).ShouldBeNull();
            (await store.CreateAsync("there", new byte[1], None)).ShouldBeFalse();
        }
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task A_request_that_never_ends_is_given_up_in_time_and_tried_again(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open(Stores.Limits with { RequestTimeout = TimeSpan.FromMilliseconds(300), Attempts = 3 });
        await store.CreateAsync("there", new byte[1], None);
        test.Proxy.Forget();
        var stuck = new TaskCompletionSource();
        test.Proxy.Before = (_, token) => stuck.Task.WaitAsync(token);
        var error = await Should.ThrowAsync<StoreException>(async () => await store.FindAsync("there", None));
        error.Message.ShouldContain("did not answer within");
        error.IsTransient.ShouldBeTrue();
        test.Proxy.Requests.Count.ShouldBe(3);
        test.Proxy.Before = null;
        stuck.SetResult();
        (await store.FindAsync("there", None)).ShouldNotBeNull();
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task An_operation_has_a_deadline_over_all_its_repetitions(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open(Stores.Limits with
        {
            OperationTimeout = TimeSpan.FromMilliseconds(500), Attempts = 30, FirstDelay = TimeSpan.FromMilliseconds(200),
            LongestDelay = TimeSpan.FromMinutes(1),
        });
        test.Proxy.Choose = _ => HttpFault.ErrorAfter; // without Retry-After: our own waits count
        var error = await Should.ThrowAsync<StoreException>(async () => await store.FindAsync("x", None));
        error.Message.ShouldContain("was not done within");
        test.Proxy.Requests.Count.ShouldBeLessThan(30);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Requests_in_flight_are_bounded(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open(Stores.Limits with { Connections = 3 });
        await store.CreateAsync("there", new byte[1], None);
        var most = 0;
        test.Proxy.Before = async (_, _) =>
        {
            most = Math.Max(most, test.Proxy.InFlight);
            await Task.Yield();
        };
        test.Proxy.Latency = TimeSpan.FromMilliseconds(5);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => store.FindAsync("there", None).AsTask()));
        most.ShouldBe(3);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task A_service_that_is_not_there_is_unavailable(StoreKind kind)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        await using IObjectStore store = kind == StoreKind.S3
            ? new S3ObjectStore((await Stores.NewBucketAsync()) with { Endpoint = RgwServer.EndpointAt(port) })
            : new AzureBlobObjectStore((await Stores.NewContainerAsync()) with { ConnectionString = AzuriteServer.ConnectionStringAt(port) });
        var error = await Should.ThrowAsync<StoreUnavailableException>(async () => await store.FindAsync("x", None));
        error.Message.ShouldContain("nothing listens");
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task A_bucket_that_is_not_there_is_no_empty_store(StoreKind kind)
    {
        await using IObjectStore store = kind == StoreKind.S3
            ? new S3ObjectStore((await Stores.NewBucketAsync()) with { Bucket = Stores.NewName() })
            : new AzureBlobObjectStore((await Stores.NewContainerAsync()) with { Container = Stores.NewName() });
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.FindAsync("x", None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.ReadAsync("x", 0, new byte[1], None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.CreateAsync("x", new byte[1], None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.DeleteAsync("x", None));
        await Should.ThrowAsync<StoreUnavailableException>(async () =>
        {
            await foreach (var _ in store.ListAsync("", None)) { }
        });
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Wrong_keys_are_refused_once_and_never_printed(StoreKind kind)
    {
        const string Secret = "UExBTlRFRC1TRUNSRVQ="; // PLANTED-SECRET
        await using var test = await TestStore.NewAsync(kind);
        await using IObjectStore store = kind == StoreKind.S3
            ? new S3ObjectStore((await Stores.NewBucketAsync()) with
            {
                Endpoint = RgwServer.EndpointAt(test.Proxy.Port), Credentials = new S3Credentials(RgwServer.AccessKey, Secret, null),
            })
            : new AzureBlobObjectStore((await Stores.NewContainerAsync()) with
            {
                ConnectionString = null, Endpoint = AzuriteServer.EndpointAt(test.Proxy.Port), Account = AzuriteServer.Account,
                AccountKey = Secret,
            });
        var error = await Should.ThrowAsync<StoreAccessException>(async () => await store.CreateAsync("x", new byte[1], None));
        error.ToString().ShouldNotContain(Secret);
        error.Message.ShouldMatch("^Cannot .+: .+; .+\\.$");
        test.Proxy.Requests.Count.ShouldBe(1);
        store.Description.ShouldNotContain(Secret);
    }
}
