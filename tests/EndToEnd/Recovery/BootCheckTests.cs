using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Repository;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary><c>backup verify --level restore</c>: a real server says whether a recovery point restores.</summary>
[Collection(RecoveryCollection.Name)]
public sealed class BootCheckTests(RecoveryWorlds worlds)
{
    [Theory]
    [InlineData(15, PostgresBackupMode.Direct, false)]
    [InlineData(17, PostgresBackupMode.Replication, true)]
    public async Task A_good_backup_passes_and_nothing_is_left(int version, PostgresBackupMode mode, bool latest)
    {
        var world = await worlds.GetAsync(version, mode);
        var parent = await world.NewDirectoryAsync();
        var last = latest ? world.Last.Number : 1;
        var report = await RunAsync(world, new PostgresBootCheckOptions
        {
            ScratchParent = parent,
            SnapshotId = world.Second.Id,
            Goal = latest ? RestoreGoal.Latest : RestoreGoal.Immediate,
            RowChecks =
            [
                new RowCheck("postgres", $"select max(n) >= {last} from numbered", null),
                new RowCheck("postgres", "select count(*) - max(n) from elsewhere", "0"),
            ],
        });
        report.Passed.ShouldBeTrue(string.Join('\n', report.Steps.Select(s => $"{s.Name}: {string.Join("; ", s.Findings)}")) + report.ServerLog);
        report.SnapshotId.ShouldBe(world.Second.Id);
        report.Steps.Select(s => s.Name).ShouldBe(["restore", "recovery", "tables", "rows", "amcheck", "shutdown", "checksums"]);
        report.Rows.ShouldBeGreaterThan(2 * last);
        report.Tables.ShouldBeGreaterThan(60);
        report.ServerVersion!.ShouldStartWith(version.ToString());
        report.TimeToService!.Value.ShouldBeLessThan(report.Duration);
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_a_row_check_finds_is_reported()
    {
        var world = await worlds.GetAsync(15, PostgresBackupMode.Direct);
        var report = await RunAsync(world, new PostgresBootCheckOptions
        {
            ScratchParent = await world.NewDirectoryAsync(),
            Amcheck = false,
            RowChecks = [new RowCheck("postgres", "select min(n) from numbered", "0"), new RowCheck("postgres", "select 1 from no_such_table", null)],
        });
        report.Passed.ShouldBeFalse();
        var rows = report.Steps.Single(s => s.Name == "rows");
        rows.Findings.Count.ShouldBe(2);
        rows.Findings[0].ShouldContain("expected 0, got 1");
        rows.Findings[1].ShouldContain("no_such_table");
    }

    [Fact]
    public async Task A_copy_that_cannot_be_restored_is_a_failed_check_and_not_a_started_server()
    {
        var world = await worlds.GetAsync(15, PostgresBackupMode.Direct);
        var packs = new List<string>();
        await foreach (var item in world.Repository.Store.ListAsync("packs/", CancellationToken.None)) packs.Add(item.Name);
        packs.ShouldNotBeEmpty();

        // The largest holds relation files. Its loss must not be found by the server, but before.
        var sizes = await Task.WhenAll(packs.Select(async name => (Name: name, (await world.Repository.Store.FindAsync(name, CancellationToken.None))!.Size)));
        var lost = sizes.MaxBy(pack => pack.Size).Name;
        await using var damaged = await TestRepository.OpenAsync(new HidingStore(world.Repository.Store, name => name == lost));
        var parent = await world.NewDirectoryAsync();
        var report = await new PostgresBootCheck(damaged, TimeProvider.System).RunAsync(
            new PostgresBootCheckOptions { SnapshotId = world.Second.Id, ScratchParent = parent, BinaryDirectories = Binaries }, null, CancellationToken.None);
        report.Passed.ShouldBeFalse();
        report.Steps.Select(s => s.Name).ShouldBe(["restore"]);
        report.Steps[0].Findings.ShouldNotBeEmpty();
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();

        // Nor can it be started by hand.
        var options = (await world.OptionsAsync(RestoreGoal.Latest)) with { SnapshotId = world.Second.Id };
        await Should.ThrowAsync<RepositoryException>(() => new PostgresRestore(damaged, TimeProvider.System).RunAsync(options, null, CancellationToken.None).AsTask());
        File.Exists(Path.Combine(options.TargetDirectory, "recovery.signal")).ShouldBeFalse();
        await Should.ThrowAsync<InvalidOperationException>(() => world.BootAsync(options.TargetDirectory));
    }

    [Fact]
    public async Task An_unknown_snapshot_or_version_is_no_check()
    {
        var world = await worlds.GetAsync(15, PostgresBackupMode.Direct);
        PostgresBinaries.Find(99).ShouldBeNull();
        await Should.ThrowAsync<SnapshotNotFoundException>(
            () => RunAsync(world, new PostgresBootCheckOptions { SnapshotId = "20000101T000000Z-postgres-00000000" }));
    }

    [Fact]
    public async Task A_cancelled_check_leaves_nothing_behind()
    {
        var world = await worlds.GetAsync(15, PostgresBackupMode.Direct);
        var parent = await world.NewDirectoryAsync();
        using var cancel = new CancellationTokenSource();
        var watch = new Progress<FunctionsBackup.Components.WorkProgress>(_ => cancel.Cancel());
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await new PostgresBootCheck(world.Repository, TimeProvider.System)
                .RunAsync(new PostgresBootCheckOptions { ScratchParent = parent, BinaryDirectories = Binaries }, watch, cancel.Token);
            // A small copy may be done before the first report of progress comes.
            cancel.Token.ThrowIfCancellationRequested();
        });
        Directory.EnumerateFileSystemEntries(parent).ShouldBeEmpty();
    }

    private static IReadOnlyList<string> Binaries => [Path.Combine(TestCache.Directory, "trixie/usr/lib/postgresql/17/bin")];

    private static Task<BootCheckReport> RunAsync(RecoveryWorld world, PostgresBootCheckOptions options) =>
        new PostgresBootCheck(world.Repository, TimeProvider.System)
            .RunAsync(options with { BinaryDirectories = Binaries }, null, CancellationToken.None).AsTask();
}
