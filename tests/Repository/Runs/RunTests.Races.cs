using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Runs;

public sealed partial class RunTests
{
    /// <summary>
    /// The parent goes after the commit has looked for it and before the record is there: a collection in that moment sees neither, and the
    /// marked packs are kept by nobody. The record is taken back.
    /// </summary>
    [Fact]
    public async Task A_record_whose_parent_went_between_the_look_and_the_record_is_taken_back()
    {
        var parent = await RaceAsync();
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1), parent: parent);
        await StoreAsync("test.0002", Files("b", 2));
        var repository = await OpenAsync();
        var race = new RacingStore(_store, "snapshots/", async () => await repository.Snapshots.DeleteAsync(parent.Id, CancellationToken.None));
        (await Should.ThrowAsync<RepositoryException>(() => CommitAsync(race))).Message.ShouldContain("run it again");
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
        await CollectAsync();
        (await new RepositoryVerifier(await OpenAsync()).RunAsync(new VerificationOptions(VerificationLevel.Quick), null, CancellationToken.None)).Defects.ShouldBeEmpty();
    }

    /// <summary>The same of a backup of one session, without a run.</summary>
    [Fact]
    public async Task A_session_whose_parent_went_between_the_look_and_the_record_takes_it_back()
    {
        var parent = await RaceAsync();
        var repository = await OpenAsync();
        var race = new RacingStore(_store, "snapshots/", async () => await repository.Snapshots.DeleteAsync(parent.Id, CancellationToken.None));
        var late = await TestRepository.OpenAsync(race, Options);
        await using var session = late.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(late, Files("a", 1), parent);
        (await Should.ThrowAsync<RepositoryException>(async () => await session.CommitAsync(
            SessionTestExtensions.Draft(_clock.GetUtcNow()) with { Parent = parent.Id }, CancellationToken.None))).Message.ShouldContain("run it again");
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    /// <summary>A recovery point that alone keeps packs which wait for their collection.</summary>
    private async Task<Snapshot> RaceAsync()
    {
        await CreateAsync();
        var old = await (await OpenAsync()).BackUpAsync(Files("a", 1));
        await (await OpenAsync()).Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        var early = await OpenAsync();
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        return await early.BackUpAsync(Files("a", 1)); // refers to the marked packs
    }
}
