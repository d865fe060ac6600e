using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>What a create says when the answers of the server get lost, come twice, or somebody else is faster.</summary>
public sealed class UnknownOutcomeTests
{
    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<StoreKind, HttpFault> Faults
    {
        get
        {
            var data = new TheoryData<StoreKind, HttpFault>();
            foreach (var kind in Enum.GetValues<StoreKind>())
                foreach (var fault in Enum.GetValues<HttpFault>())
                    if (fault is not (HttpFault.None or HttpFault.CutAnswer or HttpFault.SlowAnswer)) data.Add(kind, fault);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_create_that_went_wrong_on_the_way_says_that_it_created_the_object(StoreKind kind, HttpFault fault)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open();
        await store.CreateAsync("warm", new byte[1], None); // the probe is done
        test.Proxy.Choose = Once("PUT", fault);
        (await store.CreateAsync("a/b", Bytes(300_000, 1), None)).ShouldBeTrue();
        test.Proxy.Faults.ShouldBe(1);
        (await ReadAsync(store, "a/b", 300_000)).ShouldBe(Bytes(300_000, 1));
        (await store.CreateAsync("a/b", Bytes(300_000, 1), None)).ShouldBeFalse(); // the same bytes, but not the same create
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_create_that_went_wrong_on_the_way_says_that_somebody_else_was_faster(StoreKind kind, HttpFault fault)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open();
        await using var other = test.OpenDirect();
        await store.CreateAsync("warm", new byte[1], None);
        (await other.CreateAsync("a/b", Bytes(300_000, 2), None)).ShouldBeTrue();
        test.Proxy.Choose = Once("PUT", fault);
        (await store.CreateAsync("a/b", Bytes(300_000, 1), None)).ShouldBeFalse();
        (await ReadAsync(other, "a/b", 300_000)).ShouldBe(Bytes(300_000, 2));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Of_large_objects_too(StoreKind kind, HttpFault fault)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open();
        await store.CreateAsync("warm", new byte[1], None);
        var content = Bytes(Stores.Limits.SinglePutLimit + 1000, 3);
        // The commit of the parts where there is one, else the only request.
        test.Proxy.Choose = Once("PUT", fault, r => !r.Target.Contains("comp=block&", StringComparison.Ordinal)
            && (kind == StoreKind.S3 || r.Target.Contains("comp=blocklist", StringComparison.Ordinal)));
        (await store.CreateAsync("large", content, None)).ShouldBeTrue();
        test.Proxy.Faults.ShouldBe(1);
        (await ReadAsync(store, "large", content.Length)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        (await store.CreateAsync("large", content, None)).ShouldBeFalse();
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task A_read_goes_on_where_the_answer_broke_off(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open();
        var content = Bytes(1 << 20, 4);
        await store.CreateAsync("object", content, None);
        test.Proxy.Forget();
        var cut = 0;
        test.Proxy.Choose = r => r.Method == "GET" && ++cut <= 3 ? HttpFault.CutAnswer : HttpFault.None;
        (await ReadAsync(store, "object", content.Length)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        test.Proxy.Requests.Count(r => r.Method == "GET").ShouldBe(4);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task A_delete_whose_answer_was_lost_says_that_there_was_an_object(StoreKind kind)
    {
        await using var test = await TestStore.NewAsync(kind);
        await using var store = test.Open();
        await store.CreateAsync("object", new byte[5], None);
        test.Proxy.Choose = Once("DELETE", HttpFault.ResetAfter);
        (await store.DeleteAsync("object", None)).ShouldBeTrue();
        (await store.DeleteAsync("object", None)).ShouldBeFalse();
    }

    internal static Func<ProxiedRequest, HttpFault> Once(string method, HttpFault fault, Func<ProxiedRequest, bool>? where = null)
    {
        var met = 0;
        return r => r.Method == method && (where?.Invoke(r) ?? true) && Interlocked.Increment(ref met) == 1 ? fault : HttpFault.None;
    }

    internal static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal static async Task<byte[]> ReadAsync(IObjectStore store, string name, int length)
    {
        var buffer = new byte[length + 1];
        (await store.ReadAsync(name, 0, buffer, None)).ShouldBe(length);
        return buffer[..length];
    }
}
