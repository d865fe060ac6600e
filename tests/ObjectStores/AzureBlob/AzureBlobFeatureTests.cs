using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.Validation;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.AzureBlob;

/// <summary>What only Azure Blob storage has.</summary>
public sealed class AzureBlobFeatureTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(5_000)]
    [InlineData(9 << 20)] // in blocks
    public async Task New_blobs_get_their_tier_and_tags(int size)
    {
        var options = await Stores.NewContainerAsync("site");
        await using var store = new AzureBlobObjectStore(options with
        {
            Tier = "cool", Tags = new Dictionary<string, string> { ["purpose"] = "backup" },
        });
        (await store.CreateAsync("packs/a", new byte[size], None)).ShouldBeTrue();
        var blob = new BlobContainerClient(options.ConnectionString, options.Container).GetBlobClient("site/packs/a");
        (await blob.GetPropertiesAsync()).Value.AccessTier.ShouldBe("Cool");
        (await blob.GetTagsAsync()).Value.Tags.ShouldBe(new Dictionary<string, string> { ["purpose"] = "backup" });
    }

    [Fact]
    public async Task What_must_be_gone_goes_with_its_snapshots()
    {
        var options = await Stores.NewContainerAsync();
        await using var store = new AzureBlobObjectStore(options);
        await store.CreateAsync("subjects/a", new byte[50], CancellationToken.None);
        await store.CreateAsync("subjects/ab", new byte[50], CancellationToken.None);
        (await store.PurgeAsync("subjects/a", CancellationToken.None)).ShouldBeNull();
        (await store.FindAsync("subjects/a", CancellationToken.None)).ShouldBeNull();
        (await store.FindAsync("subjects/ab", CancellationToken.None)).ShouldNotBeNull();
        (await store.PurgeAsync("subjects/a", CancellationToken.None)).ShouldBeNull("nothing is there");
    }

    [Fact]
    public async Task A_signature_opens_what_it_was_made_for_and_is_never_printed()
    {
        var options = await Stores.NewContainerAsync();
        var server = await TestServers.AzuriteAsync();
        const BlobContainerSasPermissions Rights = BlobContainerSasPermissions.Read | BlobContainerSasPermissions.Create
            | BlobContainerSasPermissions.Write | BlobContainerSasPermissions.List;
        var builder = new BlobSasBuilder(Rights, TimeProvider.System.GetUtcNow().AddHours(1))
        {
            BlobContainerName = options.Container, Resource = "c",
        };
        var sas = builder.ToSasQueryParameters(new StorageSharedKeyCredential(AzuriteServer.Account, AzuriteServer.AccountKey)).ToString();
        await using var store = new AzureBlobObjectStore(options with { ConnectionString = null, Endpoint = server.Endpoint, SasToken = sas });
        (await store.CreateAsync("a", new byte[10], None)).ShouldBeTrue();
        (await UnknownOutcomeTests.ReadAsync(store, "a", 10)).Length.ShouldBe(10);
        var error = await Should.ThrowAsync<StoreAccessException>(async () => await store.DeleteAsync("a", None));
        store.Description.ShouldNotContain("sig=");
        error.ToString().ShouldNotContain(new Uri($"http://x/?{sas}").Query.Split("sig=")[1]);
    }

    [Fact]
    public async Task A_key_of_the_account_opens_it()
    {
        var options = await Stores.NewContainerAsync();
        var server = await TestServers.AzuriteAsync();
        await using var store = new AzureBlobObjectStore(options with
        {
            ConnectionString = null, Endpoint = server.Endpoint, Account = AzuriteServer.Account, AccountKey = AzuriteServer.AccountKey,
        });
        (await store.CreateAsync("a", new byte[10], None)).ShouldBeTrue();
    }

    [Fact]
    public void What_is_no_key_is_refused_without_repeating_it()
    {
        var error = Should.Throw<StoreAccessException>(() => new AzureBlobObjectStore(
            new AzureBlobStoreOptions("c") { Account = "a", AccountKey = "PLANTED, not base 64!" }));
        error.ToString().ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task The_emulator_is_valid_and_nothing_is_left_in_the_container()
    {
        var options = await Stores.NewContainerAsync("site");
        await using var store = new AzureBlobObjectStore(options with { Limits = Stores.Limits with { ListPageSize = 5 } });
        var report = await new StoreValidator(store, new ValidationOptions { NeedsDelete = true }, TimeProvider.System).RunAsync(None);
        report.Checks.Where(c => c.Name is not ("versioning" or "retention locks")).ShouldAllBe(c => c.Outcome == CheckOutcome.Passed);
        report.Outcome.ShouldBe(CheckOutcome.Warning, "nothing here is locked");
        var left = new List<string>();
        await foreach (var blob in new BlobContainerClient(options.ConnectionString, options.Container).GetBlobsAsync(new GetBlobsOptions
        {
            States = BlobStates.Uncommitted,
        }, None)) left.Add(blob.Name);
        left.ShouldBeEmpty();
    }
}
