using System.Net;
using System.Xml;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Storage.Validation;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.S3;

/// <summary>What only S3 has.</summary>
public sealed class S3FeatureTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("create object x", "BadRequest", true)]
    [InlineData("create object x", null, true)]
    [InlineData("create object x", "InvalidRequest", false)]
    [InlineData("look at object x", "BadRequest", false)]
    public void A_refusal_of_a_body_without_the_services_word_is_tried_again(string deed, string? code, bool again)
    {
        var refusal = new AmazonS3Exception("Error making request") { StatusCode = HttpStatusCode.BadRequest, ErrorCode = code };
        var fault = new S3Errors("bucket").Translate(refusal, deed);
        fault.Retry.ShouldBe(again);
        ((StoreException)fault.Error).IsTransient.ShouldBe(again);
    }

    // Whether the SDK sees a lost connection or a body that cannot be parsed is a matter of timing: the proxy cannot choose.
    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.OK)]
    public void An_answer_that_cannot_be_parsed_is_asked_for_again_whatever_its_status(HttpStatusCode status)
    {
        var cut = new AmazonUnmarshallingException("1", "", "<Error><Code>NoSu", new XmlException("Unexpected end of file"), status);
        var fault = new S3Errors("bucket").Translate(cut, "read object x");
        fault.Retry.ShouldBeTrue();
        ((StoreException)fault.Error).IsTransient.ShouldBeTrue();
        fault.Error.Message.ShouldContain("the answer cannot be read");
    }

    [Fact]
    public async Task New_objects_get_tags_and_are_encrypted_with_the_key_that_is_named()
    {
        var options = await Stores.NewBucketAsync("site");
        await using var store = new S3ObjectStore(options with
        {
            KmsKey = RgwServer.KmsKey, StorageClass = "STANDARD",
            Tags = new Dictionary<string, string> { ["purpose"] = "backup", ["team"] = "voice" },
        });
        (await store.CreateAsync("packs/a", new byte[5000], None)).ShouldBeTrue();
        (await UnknownOutcomeTests.ReadAsync(store, "packs/a", 5000)).ShouldBe(new byte[5000]);

        using var client = Stores.S3Client(options.Endpoint!);
        var found = await client.GetObjectMetadataAsync(options.Bucket, "site/packs/a");
        found.ServerSideEncryptionMethod.ShouldBe(ServerSideEncryptionMethod.AWSKMS);
        found.ServerSideEncryptionKeyManagementServiceKeyId.ShouldBe(RgwServer.KmsKey);
        var tags = await client.GetObjectTaggingAsync(new GetObjectTaggingRequest { BucketName = options.Bucket, Key = "site/packs/a" });
        tags.Tagging.ToDictionary(t => t.Key, t => t.Value).ShouldBe(
            new Dictionary<string, string> { ["purpose"] = "backup", ["team"] = "voice" }, ignoreOrder: true);
    }

    [Fact]
    public async Task A_service_that_ignores_the_condition_is_refused_before_anything_is_written()
    {
        var options = await Stores.NewBucketAsync();
        await using var proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
        using var client = Stores.S3Client(options.Endpoint);
        proxy.Before = S3Services.Ignore(client, options.Bucket);
        await using var store = new S3ObjectStore(options with { Endpoint = RgwServer.EndpointAt(proxy.Port) });
        var error = await Should.ThrowAsync<StoreException>(async () => await store.CreateAsync("a", new byte[5], None));
        error.Message.ShouldContain("ignores If-None-Match");
        error.Message.ShouldContain("single_writer");
        error.IsTransient.ShouldBeFalse();
        (await store.FindAsync("a", None)).ShouldBeNull();
    }

    [Fact]
    public async Task Another_writer_is_noticed_where_one_alone_was_promised()
    {
        var options = await Stores.NewBucketAsync();
        await using var proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
        using var client = Stores.S3Client(options.Endpoint);
        var ignore = S3Services.Ignore(client, options.Bucket);
        await using var other = new S3ObjectStore(options);
        var heads = 0;
        proxy.Before = async (request, token) =>
        {
            await ignore(request, token);
            // Between our write and our last look, somebody else writes.
            if (request.Method == "HEAD" && ++heads == 2)
            {
                await client.DeleteObjectAsync(options.Bucket, "a", None);
                await other.CreateAsync("a", new byte[7], None);
            }
        };
        await using var store = new S3ObjectStore(options with
        {
            Endpoint = RgwServer.EndpointAt(proxy.Port), ConditionalCreate = S3ConditionalCreate.SingleWriter,
        });
        var error = await Should.ThrowAsync<StoreException>(async () => await store.CreateAsync("a", new byte[5], None));
        error.Message.ShouldContain("another process");
    }

    [Fact]
    public async Task The_probe_is_one_request_in_a_bucket_that_is_in_use()
    {
        var options = await Stores.NewBucketAsync();
        await using (var first = new S3ObjectStore(options)) await first.CreateAsync("a", new byte[1], None);
        await using var proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
        await using var store = new S3ObjectStore(options with { Endpoint = RgwServer.EndpointAt(proxy.Port) });
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => store.CreateAsync($"b{i}", new byte[1], None).AsTask()));
        proxy.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task The_gateway_is_valid_and_nothing_is_left_in_the_bucket()
    {
        var options = await Stores.NewBucketAsync("site");
        await using var store = new S3ObjectStore(options with { Limits = Stores.Limits with { ListPageSize = 5 } });
        var report = await new StoreValidator(store, new ValidationOptions { NeedsDelete = true }, TimeProvider.System).RunAsync(None);
        report.Checks.Where(c => c.Name is not ("versioning" or "retention locks")).ShouldAllBe(c => c.Outcome == CheckOutcome.Passed);
        report.Outcome.ShouldBe(CheckOutcome.Warning, "nothing here is locked");
        report.Checks.ShouldContain(c => c.Name == "If-None-Match on put" && c.Finding == "honoured");
        report.Checks.Single(c => c.Name == "If-None-Match on multipart").Finding.ShouldStartWith("not honoured");
        using var client = Stores.S3Client(options.Endpoint!);
        ((await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = options.Bucket })).S3Objects ?? []).ShouldBeEmpty();
        ((await client.ListMultipartUploadsAsync(options.Bucket)).MultipartUploads ?? []).ShouldBeEmpty();
    }
}
