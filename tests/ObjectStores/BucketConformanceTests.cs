using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.Buckets;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>Buckets and containers of somebody else, on the real servers: plain, and with a third of the requests hit by a fault.</summary>
public sealed class BucketConformanceTests
{
    private const int Part = 5 << 20;

    private static readonly BucketProperties Noted = new()
    {
        ContentType = "audio/ogg",
        ContentLanguage = "de",
        ContentDisposition = "attachment",
        CacheControl = "no-store",
        Metadata = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["room"] = "blue" },
    };

    public static TheoryData<StoreKind, int> Cases
    {
        get
        {
            var cases = new TheoryData<StoreKind, int>();
            foreach (var kind in Enum.GetValues<StoreKind>())
                for (var seed = 0; seed < 4; seed++) cases.Add(kind, seed); // 0: no faults
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task What_is_written_is_listed_found_and_read_with_what_was_noted_of_it(StoreKind kind, int seed)
    {
        await using var test = await TestBucket.NewAsync(kind, seed);
        var objects = new Dictionary<string, byte[]>
        {
            ["calls/empty"] = [], ["calls/a b+c%20ü.json"] = Bytes(900, 1), ["calls//double"] = Bytes(20, 2), ["one"] = Bytes(300_000, 3),
        };
        foreach (var number in Enumerable.Range(0, 25)) objects[$"many/{number:0000}"] = Bytes(number + 1, number);
        foreach (var (key, bytes) in objects) await test.Bucket.PutAsync(key, Noted, bytes, default);
        await test.Bucket.PutAsync("one", Noted, objects["one"] = Bytes(200_000, 9), default);
        var large = objects["large"] = Bytes(2 * Part + 77, 4);
        await using (var upload = await test.Bucket.BeginAsync("large", Noted, default))
        {
            for (var at = 0; at < large.Length; at += Part) await upload.AddAsync(large.AsMemory(at, Math.Min(Part, large.Length - at)), default);
            (await test.Bucket.FindAsync("large", default)).ShouldBeNull("nothing is visible before the end");
            await upload.CompleteAsync(default);
        }

        await using (var upload = await test.Bucket.BeginAsync("never", Noted, default)) await upload.AddAsync(large.AsMemory(0, Part), default);

        var listed = new List<BucketItem>();
        await foreach (var item in test.Bucket.ListAsync(default)) listed.Add(item);
        listed.Select(i => i.Key).ShouldBe(objects.Keys, ignoreOrder: true);
        var buffer = new byte[1 << 20];
        foreach (var item in listed)
        {
            item.Size.ShouldBe(objects[item.Key].Length, item.Key);
            var found = (await test.Bucket.FindAsync(item.Key, default)).ShouldNotBeNull();
            (found with { LastModified = item.LastModified }).ShouldBe(item);
            found.LastModified.ShouldBe(item.LastModified, TimeSpan.FromSeconds(1)); // a header has whole seconds
            var read = new List<byte>();
            do
            {
                var (count, properties) = await test.Bucket.ReadAsync(item, read.Count, buffer, default);
                read.AddRange(buffer.AsSpan(0, count));
                properties.ContentType.ShouldBe("audio/ogg", item.Key);
                properties.CacheControl.ShouldBe("no-store", item.Key);
                properties.ContentDisposition.ShouldBe("attachment", item.Key);
                properties.Metadata["room"].ShouldBe("blue", item.Key);
            }
            while (read.Count < item.Size);
            read.ToArray().AsSpan().SequenceEqual(objects[item.Key]).ShouldBeTrue(item.Key);
        }

        test.ShouldHaveHadItsFaults();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task What_has_changed_or_gone_is_told_from_what_was_listed(StoreKind kind, int seed)
    {
        await using var test = await TestBucket.NewAsync(kind, seed);
        var buffer = new byte[1000];
        for (var number = 0; number < 10; number++)
        {
            var key = $"calls/{number}";
            await test.Bucket.PutAsync(key, BucketProperties.None, Bytes(900, number), default);
            var item = (await test.Bucket.FindAsync(key, default)).ShouldNotBeNull();
            await test.Bucket.PutAsync(key, BucketProperties.None, Bytes(900, 100 + number), default);
            (await Should.ThrowAsync<ObjectChangedException>(async () => await test.Bucket.ReadAsync(item, 0, buffer, default))).Message.ShouldContain(key);
            await Should.ThrowAsync<ObjectChangedException>(async () => await test.Bucket.ReadAsync(item, 450, buffer, default));
            await Should.ThrowAsync<ObjectNotFoundException>(
                async () => await test.Bucket.ReadAsync(item with { Key = key + "x" }, 0, buffer, default));
            (await test.Bucket.FindAsync(key + "x", default)).ShouldBeNull();
        }

        test.ShouldHaveHadItsFaults();
    }

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private sealed class TestBucket(IBucket bucket, FaultProxy proxy, FaultPlan? faults) : IAsyncDisposable
    {
        public IBucket Bucket => bucket;

        public static async Task<TestBucket> NewAsync(StoreKind kind, int seed)
        {
            var faults = seed == 0 ? null : new FaultPlan(seed);
            IBucket bucket;
            FaultProxy proxy;
            var limits = Stores.Limits with { ListPageSize = 7 };
            if (kind == StoreKind.S3)
            {
                var options = await Stores.NewBucketAsync("egress");
                proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
                bucket = new S3Bucket(options with { Endpoint = RgwServer.EndpointAt(proxy.Port), Limits = limits });
            }
            else
            {
                var options = await Stores.NewContainerAsync("egress");
                proxy = await FaultProxy.StartAsync((await TestServers.AzuriteAsync()).Port);
                bucket = new AzureBlobBucket(options with { ConnectionString = AzuriteServer.ConnectionStringAt(proxy.Port), Limits = limits });
            }

            if (faults is not null) proxy.Choose = faults.Choose;
            return new TestBucket(bucket, proxy, faults);
        }

        public void ShouldHaveHadItsFaults()
        {
            if (faults is not null) faults.Counts.Values.Sum().ShouldBeGreaterThan(10);
        }

        public async ValueTask DisposeAsync()
        {
            await bucket.DisposeAsync();
            await proxy.DisposeAsync();
        }
    }
}
