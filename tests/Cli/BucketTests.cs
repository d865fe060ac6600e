using System.Text;
using Amazon.S3;
using Amazon.S3.Model;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Both services, once for all tests of the class.</summary>
public sealed class BucketServers : IAsyncLifetime
{
    public RgwServer Rgw { get; private set; } = null!;

    public AzuriteServer Azurite { get; private set; } = null!;

    public FaultProxy Proxy { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Rgw = await RgwServer.StartAsync();
        Azurite = await AzuriteServer.StartAsync();
        Proxy = await FaultProxy.StartAsync(Rgw.Port);
    }

    public async Task DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Rgw.DisposeAsync();
        await Azurite.DisposeAsync();
    }
}

/// <summary>Voice data that lies in buckets and containers.</summary>
public sealed class BucketTests : IClassFixture<BucketServers>, IAsyncLifetime
{
    private readonly BucketServers _servers;
    private readonly Fbackup _fbackup = new();
    private readonly AmazonS3Client _s3;
    private readonly BlobServiceClient _blobs;
    private readonly string _bucket = "voice-" + Guid.NewGuid().ToString("N")[..8], _container = "voice-" + Guid.NewGuid().ToString("N")[..8];

    /// <summary>Keys that are paths, and such that are not.</summary>
    private readonly Dictionary<string, byte[]> _objects = new()
    {
        ["calls/2026-11-01/a.ogg"] = Bytes(70_000, 1),
        ["calls/2026-11-01/a b+c%20ü.json"] = Encoding.UTF8.GetBytes("{\"text\":\"hello\"}"),
        ["calls/2026-11-01.txt"] = Bytes(300, 2),
        ["calls/2026-11-01-late/x.wav"] = Bytes(5_000, 3),
        ["calls/empty.txt"] = [],
        ["calls/large.mp4"] = Bytes(21_000_000, 4),
        ["calls//double.txt"] = Bytes(20, 5),
        ["folder/"] = [],
        ["thing"] = Bytes(11, 6),
        ["thing/below"] = Bytes(12, 7),
        ["!early"] = Bytes(13, 8),
        [new string('n', 300)] = Bytes(14, 9),
    };

    public BucketTests(BucketServers servers)
    {
        _servers = servers;
        _s3 = new AmazonS3Client(RgwServer.AccessKey, RgwServer.SecretKey, new AmazonS3Config
        {
            ServiceURL = servers.Rgw.Endpoint.AbsoluteUri, ForcePathStyle = true, AuthenticationRegion = "us-east-1",
            RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED,
        });
        _blobs = new BlobServiceClient(servers.Azurite.ConnectionString);
    }

    public async Task InitializeAsync()
    {
        await _s3.PutBucketAsync(_bucket);
        await _s3.PutBucketAsync(_bucket + "-2");
        await _blobs.CreateBlobContainerAsync(_container);
        _fbackup.Environment["KEY"] = RgwServer.AccessKey;
        _fbackup.Environment["SECRET"] = RgwServer.SecretKey;
        _fbackup.Environment["CONNECTION"] = _servers.Azurite.ConnectionString;
        Configure("buckets: [recordings]");
        _fbackup.Run("init", "--yes").Expect(0);
    }

    public Task DisposeAsync()
    {
        _s3.Dispose();
        _fbackup.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_bucket_is_backed_up_incrementally_and_restores_to_either_kind_and_to_a_folder()
    {
        foreach (var (key, bytes) in _objects) await PutAsync("egress/" + key, bytes);
        await PutAsync("other/not-ours", Bytes(5, 1));
        var first = _fbackup.Run("backup", "run", "--json").Expect(0).Events[^1]["recovery_points"]![0]!;
        first["files"]!.GetValue<int>().ShouldBe(_objects.Count);
        first["logical_bytes"]!.GetValue<long>().ShouldBe(_objects.Values.Sum(b => (long)b.Length));

        // What has not changed is not read: only lists.
        var before = _servers.Proxy.Requests.Count;
        var second = _fbackup.Run("backup", "run", "--json").Expect(0).Events[^1]["recovery_points"]![0]!;
        second["kind"]!.GetValue<string>().ShouldBe("incremental");
        second["read_bytes"]!.GetValue<long>().ShouldBe(0);
        _servers.Proxy.Requests.Skip(before).ShouldAllBe(r => r.Target.Contains("list-type=2"));

        await PutAsync("egress/thing", _objects["thing"] = Bytes(99, 20));
        await _s3.DeleteObjectAsync(_bucket, "egress/!early");
        _objects.Remove("!early");
        await PutAsync("egress/calls/new.ogg", _objects["calls/new.ogg"] = Bytes(40, 21));
        _fbackup.Run("backup", "run", "--json").Expect(0).Events[^1]["recovery_points"]![0]!["read_bytes"]!.GetValue<long>().ShouldBe(139);
        _fbackup.Run("backup", "verify", "--level", "full").Expect(0);

        // To the same kind.
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/back/here").Expect(0);
        (await ListAsync(_bucket + "-2")).Keys.ShouldBe(_objects.Keys.Select(k => "back/here/" + k), ignoreOrder: true);
        foreach (var (key, bytes) in _objects) await ShouldBeInS3Async(_bucket + "-2", "back/here/" + key, bytes);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/back/here").Expect(1).Error.ShouldContain("--overwrite");
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/back/here", "--overwrite").Expect(0);

        // To the other.
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:azure").Expect(0);
        foreach (var (key, bytes) in _objects) await ShouldBeInAzureAsync("site/" + key, bytes);

        // And into a folder, as far as a folder can have it.
        var folder = _fbackup.Run("restore", "voice_data", "latest", "--target", "out").Expect(3);
        folder.Error.ShouldContain("has a key that is no path");
        folder.Error.ShouldContain("no place in a folder");
        foreach (var key in new[] { "calls/2026-11-01/a.ogg", "calls/2026-11-01/a b+c%20ü.json", "calls/large.mp4", "calls/empty.txt", "thing/below" })
            File.ReadAllBytes(_fbackup.PathOf("out/recordings/" + key)).ShouldBe(_objects[key], key);
        File.GetLastWriteTimeUtc(_fbackup.PathOf("out/recordings/thing/below")).ShouldBe(
            (await _s3.GetObjectMetadataAsync(_bucket, "egress/thing/below")).LastModified!.Value.ToUniversalTime(), TimeSpan.FromSeconds(1));

        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/some", "--include", "*.ogg").Expect(0);
        (await ListAsync(_bucket + "-2")).Keys.Count(k => k.StartsWith("some/", StringComparison.Ordinal)).ShouldBe(2);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/x", "--plan").Expect(0);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:secnd").Expect(2).Error.ShouldContain("did you mean 'second'?");
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/x", "--delta").ExitCode.ShouldBe(2);
    }

    [Fact]
    public async Task A_container_and_a_bucket_together_are_one_component_and_a_container_restores_to_a_bucket()
    {
        Configure("buckets: [recordings, azure]");
        _objects.Remove("folder/"); // the service's own SDK takes the slash away
        _objects.Remove(new string('n', 300));
        var container = _blobs.GetBlobContainerClient(_container);
        foreach (var (key, bytes) in _objects)
        {
            await container.GetBlobClient("site/" + key).UploadAsync(new BinaryData(bytes), new BlobUploadOptions
            {
                HttpHeaders = new BlobHttpHeaders { ContentType = "audio/x-test", CacheControl = "no-store" },
                Metadata = new Dictionary<string, string> { ["room"] = "blue" },
            });
        }

        await PutAsync("egress/one.txt", Bytes(10, 1));
        _fbackup.Run("backup", "run").Expect(0);
        var again = _fbackup.Run("backup", "run", "--json").Expect(0).Events[^1]["recovery_points"]![0]!;
        again["read_bytes"]!.GetValue<long>().ShouldBe(0);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/both").Expect(0);
        var restored = await ListAsync(_bucket + "-2");
        restored.Keys.ShouldBe(
            _objects.Keys.Select(k => "both/azure/" + k).Append("both/recordings/one.txt"), ignoreOrder: true);
        foreach (var (key, bytes) in _objects)
            await ShouldBeInS3Async(_bucket + "-2", "both/azure/" + key, bytes, "audio/x-test", "blue");

        // Metadata alone makes an object another one.
        await container.GetBlobClient("site/thing").SetMetadataAsync(new Dictionary<string, string> { ["room"] = "red" });
        _fbackup.Run("backup", "run", "--json").Expect(0).Events[^1]["recovery_points"]![0]!["read_bytes"]!.GetValue<long>().ShouldBe(_objects["thing"].Length);
    }

    [Fact]
    public async Task A_folder_restores_to_a_bucket()
    {
        Configure("paths: [./recordings]");
        _fbackup.Write("recordings/a/one.wav", "sound");
        _fbackup.Write("recordings/two.json", "{}");
        File.CreateSymbolicLink(_fbackup.PathOf("recordings/link"), "two.json");
        _fbackup.Run("backup", "run").Expect(0);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "bucket:second/f").Expect(3).Error.ShouldContain("1 links and special files");
        (await ListAsync(_bucket + "-2")).Keys.ShouldBe(["f/a/one.wav", "f/two.json"], ignoreOrder: true);
        (await _s3.GetObjectMetadataAsync(_bucket + "-2", "f/a/one.wav")).Headers.ContentType.ShouldBe("audio/wav");
    }

    [Fact]
    public void Buckets_that_are_not_there_and_configurations_that_make_no_sense_are_said_and_back_up_nothing()
    {
        Configure("buckets: [absent]");
        var failed = _fbackup.Run("backup", "run");
        failed.ExitCode.ShouldBe(1);
        failed.Error.ShouldContain("there is no such bucket");
        _fbackup.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray().ShouldBeEmpty();
        Configure("buckets: [recording]");
        _fbackup.Run("config", "check").Expect(2).Error.ShouldContain("did you mean 'recordings'?");
        Configure("buckets: [recordings], paths: [./recordings]");
        _fbackup.Run("config", "check").Expect(2).Error.ShouldContain("both set");
        Configure("exclude: [\"*.tmp\"]");
        _fbackup.Run("config", "check").Expect(2).Error.ShouldContain("paths is missing");
        Configure("buckets: []");
        _fbackup.Run("config", "check").Expect(2).Error.ShouldContain("at least one bucket");
        Configure("buckets: [recordings]");
        _fbackup.Run("config", "check").Expect(0);
        (_fbackup.Run("config", "show").Expect(0).Output + _fbackup.Run("config", "show", "--json").Output).ShouldNotContain(RgwServer.SecretKey);
    }

    private void Configure(string source) => _fbackup.Write("backup_config.yaml", $$"""
        backup_config:
          storage: { path: ./repository }
          keys: { passphrase: env:FBACKUP_PASSPHRASE }
          buckets:
            - { name: recordings, storage_backend: s3, bucket: {{_bucket}}, prefix: egress, endpoint: "http://127.0.0.1:{{_servers.Proxy.Port}}", access_key: env:KEY, secret_key: env:SECRET }
            - { name: second, storage_backend: s3, bucket: {{_bucket}}-2, endpoint: "{{_servers.Rgw.Endpoint}}", access_key: env:KEY, secret_key: env:SECRET }
            - { name: absent, storage_backend: s3, bucket: {{_bucket}}-3, endpoint: "{{_servers.Rgw.Endpoint}}", access_key: env:KEY, secret_key: env:SECRET }
            - { name: azure, storage_backend: azure_blob, container: {{_container}}, prefix: site, connection_string: env:CONNECTION }
          components:
            voice_data: { {{source}} }

        """);

    private async Task PutAsync(string key, byte[] bytes)
    {
        var request = new PutObjectRequest
        {
            BucketName = _bucket, Key = key, InputStream = new MemoryStream(bytes), ContentType = "audio/x-test",
            UseChunkEncoding = false,
            Headers = { CacheControl = "no-store", ContentDisposition = "attachment" },
        };
        request.Metadata["room"] = "blue";
        await _s3.PutObjectAsync(request);
    }

    private async Task<Dictionary<string, long>> ListAsync(string bucket)
    {
        var page = await _s3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket });
        return (page.S3Objects ?? []).ToDictionary(o => o.Key, o => o.Size ?? 0);
    }

    private async Task ShouldBeInS3Async(string bucket, string key, byte[] bytes, string type = "audio/x-test", string room = "blue")
    {
        using var response = await _s3.GetObjectAsync(bucket, key);
        using var memory = new MemoryStream();
        await response.ResponseStream.CopyToAsync(memory);
        memory.ToArray().AsSpan().SequenceEqual(bytes).ShouldBeTrue(key);
        response.Headers.ContentType.ShouldBe(type, key);
        response.Headers.CacheControl.ShouldBe("no-store", key);
        response.Metadata["room"].ShouldBe(room, key);
    }

    private async Task ShouldBeInAzureAsync(string key, byte[] bytes)
    {
        var blob = (await _blobs.GetBlobContainerClient(_container).GetBlobClient(key).DownloadContentAsync()).Value;
        blob.Content.ToMemory().Span.SequenceEqual(bytes).ShouldBeTrue(key);
        blob.Details.ContentType.ShouldBe("audio/x-test");
        blob.Details.ContentDisposition.ShouldBe("attachment");
        blob.Details.Metadata["room"].ShouldBe("blue");
    }

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
