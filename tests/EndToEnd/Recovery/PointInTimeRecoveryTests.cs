using System.Globalization;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>
/// Each kind of target lands exactly on the row that it must: every row up to it is there, in both tablespaces, and none after it.
/// </summary>
[Collection(RecoveryCollection.Name)]
public sealed class PointInTimeRecoveryTests(RecoveryWorlds worlds)
{
    private const PostgresBackupMode Direct = PostgresBackupMode.Direct;
    private const PostgresBackupMode Replication = PostgresBackupMode.Replication;

    [Theory]
    [InlineData(15, Direct, "time")]
    [InlineData(15, Direct, "time, exclusive")]
    [InlineData(15, Direct, "time between")]
    [InlineData(15, Direct, "lsn")]
    [InlineData(15, Direct, "xid")]
    [InlineData(15, Direct, "xid, exclusive")]
    [InlineData(15, Direct, "name")]
    [InlineData(15, Direct, "latest")]
    [InlineData(15, Direct, "immediate")]
    [InlineData(15, Direct, "last time")]
    [InlineData(15, Replication, "time")]
    [InlineData(15, Replication, "latest")]
    [InlineData(17, Direct, "time")]
    [InlineData(17, Direct, "latest")]
    [InlineData(17, Replication, "time")]
    [InlineData(17, Replication, "time, exclusive")]
    [InlineData(17, Replication, "lsn")]
    [InlineData(17, Replication, "xid")]
    [InlineData(17, Replication, "name")]
    [InlineData(17, Replication, "latest")]
    [InlineData(17, Replication, "immediate")]
    [InlineData(17, Replication, "last lsn")]
    public async Task A_target_lands_exactly(int version, PostgresBackupMode mode, string kind)
    {
        var world = await worlds.GetAsync(version, mode);
        var (goal, expected) = Choose(world, kind);
        if (kind == "immediate") expected = await LastInBackupAsync(world, expected);
        var report = await world.RestoreAsync(await world.OptionsAsync(goal));
        await using var server = await world.BootAsync(report.Plan.Layout.DataDirectory);
        await ShouldEndAtAsync(server, expected);
        report.Plan.Snapshot.Id.ShouldBe(world.Second.Id);
        (await server.ScalarAsync<int>("select timeline_id from pg_control_checkpoint()")).ShouldBe(2, server.ReadLog());
    }

    [Theory]
    [InlineData(15, Direct)]
    [InlineData(17, Replication)]
    public async Task A_target_before_the_end_of_the_newest_backup_starts_from_the_one_before(int version, PostgresBackupMode mode)
    {
        var world = await worlds.GetAsync(version, mode);

        // Committed while the second backup ran: that one has it, but cannot stop there.
        var stop = Lsn.Parse(RecoveryWorld.Details(world.Second).StopLsn);
        var row = world.Rows.Last(r => r.After < stop);
        foreach (var (goal, expected) in new (RestoreGoal, int)[]
        {
            (RestoreGoal.To(new RecoveryTarget.AtName(RecoveryWorld.FirstName)), world.AtFirstName.Number),
            (RestoreGoal.To(new RecoveryTarget.AtTime(world.Rows[row.Number - 2].Commit)), row.Number - 1),
            (RestoreGoal.To(new RecoveryTarget.AtXid(world.Rows[row.Number - 2].Xid)), row.Number - 1),
        })
        {
            var report = await world.RestoreAsync(await world.OptionsAsync(goal));
            report.Plan.Snapshot.Id.ShouldBe(world.First.Id, goal.Describe());
            await using var server = await world.BootAsync(report.Plan.Layout.DataDirectory);
            await ShouldEndAtAsync(server, expected);
        }
    }

    [Theory]
    [InlineData(15, Direct)]
    [InlineData(17, Replication)]
    public async Task Targets_outside_the_window_are_refused_with_the_window(int version, PostgresBackupMode mode)
    {
        var world = await worlds.GetAsync(version, mode);
        var window = await world.Archive.FindWindowAsync(RecoveryWorld.Details(world.Second), null, CancellationToken.None);
        RecoveryTarget[] unreachable =
        [
            new RecoveryTarget.AtTime(world.Rows[5].Commit), new RecoveryTarget.AtTime(world.Last.Commit.AddHours(1)),
            new RecoveryTarget.AtLsn(world.Rows[5].After), new RecoveryTarget.AtLsn(window.EndLsn + (1 << 30)),
            new RecoveryTarget.AtName("never made"), new RecoveryTarget.AtXid(world.Rows[5].Xid), new RecoveryTarget.AtXid(world.Last.Xid + 100_000),
        ];
        foreach (var target in unreachable)
        {
            var options = await world.OptionsAsync(RestoreGoal.To(target));
            var error = await Should.ThrowAsync<UnreachableTargetException>(() => world.RestoreAsync(options), target.ToString());
            error.Message.ShouldContain("(LSN ", customMessage: target.ToString());
            error.Message.ShouldContain(error.Window!.BeginLsn.ToString(), customMessage: target.ToString());
            Directory.Exists(options.TargetDirectory).ShouldBeFalse();
        }

        // A backup that is named is taken as it is.
        var early = (await world.OptionsAsync(RestoreGoal.To(new RecoveryTarget.AtName(RecoveryWorld.FirstName)))) with { SnapshotId = world.Second.Id };
        await Should.ThrowAsync<UnreachableTargetException>(() => world.RestoreAsync(early));
    }

    [Theory]
    [InlineData(15, Direct)]
    [InlineData(17, Replication)]
    public async Task A_delta_restore_turns_a_crashed_server_into_the_state_at_a_target(int version, PostgresBackupMode mode)
    {
        var world = await worlds.GetAsync(version, mode);
        var directory = await world.NewDirectoryAsync();
        var report = await world.RestoreAsync(await world.OptionsAsync(RestoreGoal.Latest, directory));
        await using (var server = await world.BootAsync(report.Plan.Layout.DataDirectory))
        {
            await server.ExecuteAsync("delete from numbered where n % 3 = 0; drop table elsewhere; create table later as select * from generate_series(1, 5000) n");
            await server.ExecuteAsync("checkpoint; update numbered set n = -n where n < 20");
            var running = (await world.OptionsAsync(RestoreGoal.Latest, directory)) with { Delta = true };
            (await Should.ThrowAsync<Exception>(() => world.RestoreAsync(running))).Message.ShouldContain("A server runs");
            await server.StopAsync(PostgresStop.Kill);
        }

        var (goal, expected) = Choose(world, "time");
        var options = (await world.OptionsAsync(goal, directory)) with { Delta = true };
        var delta = await world.RestoreAsync(options);
        delta.WrittenBytes.ShouldBeLessThan(delta.Bytes * 2 / 3);
        delta.Bytes.ShouldBe(report.Bytes);
        delta.Warnings.ShouldContain(w => w.Contains("is kept in"));
        await using var restored = await world.BootAsync(delta.Plan.Layout.DataDirectory);
        await ShouldEndAtAsync(restored, expected);
        (await restored.QueryAsync("select to_regclass('later') is null")).ShouldBe(["True"]);
    }

    [Fact]
    public async Task A_plan_changes_nothing_and_says_what_it_would_do()
    {
        var world = await worlds.GetAsync(15, Direct);
        var (goal, _) = Choose(world, "time");
        var options = (await world.OptionsAsync(goal)) with { Objective = TimeSpan.FromMinutes(60) };
        var plan = await new PostgresRestore(world.Repository, TimeProvider.System).PlanAsync(options, CancellationToken.None);
        plan.Snapshot.Id.ShouldBe(world.Second.Id);
        plan.Files.ShouldBeGreaterThan(500);
        plan.Bytes.ShouldBeGreaterThan(10 << 20);
        plan.Requests.ShouldBeGreaterThan(0);
        plan.WalBytes.ShouldBeInRange(1, 32 << 20);
        plan.LastCommit.ShouldBe(Row(world, 20).Commit);
        plan.MeetsObjective.ShouldBe(true);
        (plan with { Objective = TimeSpan.FromSeconds(1) }).MeetsObjective.ShouldBe(false);
        Directory.Exists(options.TargetDirectory).ShouldBeFalse();
    }

    [Fact]
    public async Task A_target_at_the_end_of_the_wal_is_not_overshot_when_more_is_archived_before_the_server_starts()
    {
        var world = await worlds.GetAsync(15, Direct);
        var details = RecoveryWorld.Details(world.Second);
        var cut = WalSegmentName.Containing(1, Row(world, 0).After, details.WalSegmentSize);
        var store = new HidingStore(world.Repository.Store, name => name.StartsWith("wal/", StringComparison.Ordinal)
            && WalSegmentName.TryParse(name[(name.LastIndexOf('/') + 1)..], out var segment) && string.CompareOrdinal(segment.ToString(), cut.ToString()) > 0);
        await using var before = await TestRepository.OpenAsync(store);
        var window = await new WalArchive(before, details.SystemIdentifier).FindWindowAsync(details, null, CancellationToken.None);
        window.EndLsn.ShouldBeLessThan(world.Last.After);
        var last = world.Rows.Single(r => r.Commit == window.EndTime);

        // Planned when the archive ended there; recovered from one that has gone on.
        var export = Path.Combine(await world.NewDirectoryAsync(), "wal");
        var options = (await world.OptionsAsync(RestoreGoal.To(new RecoveryTarget.AtTime(last.Commit)))) with { RestoreCommand = $"cp \"{export}/%f\" \"%p\"" };
        var report = await new PostgresRestore(before, TimeProvider.System).RunAsync(options, null, CancellationToken.None);
        await world.ExportWalAsync(export);
        await using var server = await world.BootAsync(report.Plan.Layout.DataDirectory);
        await ShouldEndAtAsync(server, last.Number);
    }

    [Fact]
    public async Task A_server_may_pause_at_its_target_and_be_promoted_by_hand()
    {
        var world = await worlds.GetAsync(15, Direct);
        var (goal, expected) = Choose(world, "time");
        var report = await world.RestoreAsync((await world.OptionsAsync(goal)) with { Action = RecoveryAction.Pause });
        await using var server = await world.BootAsync(report.Plan.Layout.DataDirectory, waitForPromotion: false);
        while (await server.ScalarAsync<string>("select pg_get_wal_replay_pause_state()") != "paused") await Task.Delay(20);
        await ShouldEndAtAsync(server, expected);
        (await server.ScalarAsync<bool>("select pg_is_in_recovery()")).ShouldBeTrue();
    }

    /// <summary>The row at <paramref name="more"/> rows after the restore point that follows the second backup.</summary>
    private static NumberedRow Row(RecoveryWorld world, int more) => world.Rows[world.AtSecondName.Number - 1 + more];

    private static (RestoreGoal Goal, int Expected) Choose(RecoveryWorld world, string kind)
    {
        var row = Row(world, 20);
        var next = Row(world, 21);
        row.Commit.AddTicks(TimeSpan.TicksPerMicrosecond).ShouldBeLessThan(next.Commit);
        var immediate = Lsn.Parse(RecoveryWorld.Details(world.Second).StopLsn);
        return kind switch
        {
            "time" => (RestoreGoal.To(new RecoveryTarget.AtTime(row.Commit)), row.Number),
            "time, exclusive" => (RestoreGoal.To(new RecoveryTarget.AtTime(row.Commit, Inclusive: false)), row.Number - 1),
            "time between" => (RestoreGoal.To(new RecoveryTarget.AtTime(next.Commit.AddTicks(-1))), row.Number),
            "lsn" => (RestoreGoal.To(new RecoveryTarget.AtLsn(row.After)), row.Number),
            "xid" => (RestoreGoal.To(new RecoveryTarget.AtXid(row.Xid)), row.Number),
            "xid, exclusive" => (RestoreGoal.To(new RecoveryTarget.AtXid(row.Xid, Inclusive: false)), row.Number - 1),
            "name" => (RestoreGoal.To(new RecoveryTarget.AtName(RecoveryWorld.SecondName)), world.AtSecondName.Number),
            "latest" => (RestoreGoal.Latest, world.Last.Number),
            "immediate" => (RestoreGoal.Immediate, world.Rows.Last(r => r.After <= immediate).Number),
            // No later record confirms these.
            "last time" => (RestoreGoal.To(new RecoveryTarget.AtTime(world.Last.Commit)), world.Last.Number),
            "last lsn" => (RestoreGoal.To(new RecoveryTarget.AtLsn(world.Last.After)), world.Last.Number),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };
    }

    /// <summary>The row after <paramref name="last"/> counts too if its commit record ends in the backup, though the position seen after it does not.</summary>
    private static async Task<int> LastInBackupAsync(RecoveryWorld world, int last)
    {
        var next = await world.Archive.ResolveTargetAsync(
            RecoveryWorld.Details(world.First), new RecoveryTarget.AtXid(world.Rows[last].Xid), null, CancellationToken.None);
        return next.StopLsn <= Lsn.Parse(RecoveryWorld.Details(world.Second).StopLsn) ? last + 1 : last;
    }

    private static async Task ShouldEndAtAsync(PostgresServer server, int last)
    {
        var expected = string.Create(CultureInfo.InvariantCulture, $"{last}|1|{last}|{(long)last * (last + 1) / 2}");
        foreach (var table in (string[])["numbered", "elsewhere"])
            (await server.QueryAsync($"select count(*), min(n), max(n), sum(n) from {table}")).ShouldBe([expected], server.ReadLog());
    }
}
