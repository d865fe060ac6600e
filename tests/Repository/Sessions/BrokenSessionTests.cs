using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Sessions;

/// <summary>What goes wrong in the middle of a session, and what must not go wrong because of it.</summary>
public sealed class BrokenSessionTests
{
    [Fact]
    public async Task A_content_that_is_cancelled_takes_no_chunk_of_others_with_it_unseen()
    {
        var open = new TaskCompletionSource();
        var store = new FullStore(new InMemoryObjectStore());
        var repository = await TestRepository.CreateAsync(store);
        store.Open = open.Task;
        await using var session = repository.BeginSession(new SessionOptions("test", 1));
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            for (var i = 0; ; i++)
                await session.StoreAsync(new BytesSource(RoundTripTests.Bytes(700_000, i)), ContentOptions.ContentDefined, patience.Token);
        });
        open.SetResult();
        await Should.ThrowAsync<RepositoryException>(async () => await session.CommitAsync(SessionTestExtensions.Draft(), CancellationToken.None));
    }

    [Fact]
    public async Task Workers_that_cannot_start_fail_the_backup_instead_of_stopping_it_for_ever()
    {
        var repository = await TestRepository.CreateAsync(
            null, new RepositoryOptions { Compression = new CompressionSettings(CompressionAlgorithm.Zstd, 99) });
        await Should.ThrowAsync<ArgumentOutOfRangeException>(
            () => repository.BackUpAsync(Enumerable.Range(0, 20).ToDictionary(i => $"f{i:D2}", i => RoundTripTests.Bytes(1_000_000, i)))
                .WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_damaged_parent_is_no_reason_to_fail()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var bytes = RoundTripTests.Bytes(40 * ContentLimits.PageChunkSize, 1);
        await using var first = repository.BeginSession(SessionTestExtensions.Options);
        var parent = await first.StoreAsync(new BytesSource(bytes), ContentOptions.Pages(8192), CancellationToken.None);
        parent.Depth.ShouldBe(1);
        await first.CommitAsync(SessionTestExtensions.Draft(), CancellationToken.None);
        foreach (var pack in store.Names.Where(n => n.StartsWith("packs/", StringComparison.Ordinal)).ToList()) store.Flip(pack, 100);

        repository = await TestRepository.OpenAsync(store);
        await using var second = repository.BeginSession(SessionTestExtensions.Options);
        var again = await second.StoreAsync(new BytesSource(bytes), ContentOptions.Pages(8192) with { Parent = parent }, CancellationToken.None);
        again.Items.ShouldBe(parent.Items);
    }

    [Fact]
    public async Task A_damaged_record_is_passed_over_when_a_parent_is_looked_for()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var good = await repository.BackUpAsync(new Dictionary<string, byte[]> { ["a"] = [1] }, at: DateTimeOffset.UnixEpoch.AddDays(1));
        var bad = await repository.BackUpAsync(new Dictionary<string, byte[]> { ["a"] = [2] }, at: DateTimeOffset.UnixEpoch.AddDays(2));
        store.Flip("snapshots/" + bad.Id, 70);
        (await repository.FindParentAsync("test", _ => true, CancellationToken.None))!.Id.ShouldBe(good.Id);
    }
}
