using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>What happens after a recovery: the cluster goes on along a new timeline, into the same archive.</summary>
[Collection(RecoveryCollection.Name)]
public sealed class TimelineTests
{
    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    public async Task After_a_recovery_both_timelines_can_be_reached(int version)
    {
        // A world of its own: this one is changed.
        await using var world = await RecoveryWorld.CreateAsync(version, PostgresBackupMode.Direct);
        var directory = await world.NewDirectoryAsync();
        var spool = await world.NewDirectoryAsync();
        var middle = RestoreGoal.To(new RecoveryTarget.AtName(RecoveryWorld.SecondName));
        var report = await world.RestoreAsync(await world.OptionsAsync(middle, directory));
        await using (var server = await world.BootAsync(report.Plan.Layout.DataDirectory, archiveTo: spool))
        {
            await using var archiver = new SpoolArchiver(spool, world.Archive);
            await server.ExecuteAsync("insert into numbered select n, '' from generate_series(1000001, 1000010) n");
            await archiver.WaitForAsync("00000002.history");
            await archiver.WaitForAsync(await server.ScalarAsync<string>("select pg_walfile_name(pg_switch_wal())"));
        }

        // The latest timeline has what was written after the recovery, and nothing of what it left behind.
        (await MaximaAsync(world, await world.OptionsAsync(RestoreGoal.Latest))).ShouldBe($"{world.AtSecondName.Number}|10");

        // The first one still leads to where the server was when it was lost.
        var first = (await world.OptionsAsync(RestoreGoal.Latest)) with { Timeline = TimelineChoice.Parse("1") };
        (await MaximaAsync(world, first)).ShouldBe($"{world.Last.Number}|0");
        var current = (await world.OptionsAsync(RestoreGoal.To(new RecoveryTarget.AtXid(world.Last.Xid)))) with { Timeline = TimelineChoice.Current };
        (await MaximaAsync(world, current)).ShouldBe($"{world.Last.Number}|0");

        // A target after the fork is not on the latest timeline.
        var lost = await world.OptionsAsync(RestoreGoal.To(new RecoveryTarget.AtXid(world.Last.Xid)));
        await Should.ThrowAsync<UnreachableTargetException>(() => world.RestoreAsync(lost));
        var unknown = (await world.OptionsAsync(RestoreGoal.Latest)) with { Timeline = TimelineChoice.Parse("7") };
        await Should.ThrowAsync<UnreachableTargetException>(() => world.RestoreAsync(unknown));
    }

    private static async Task<string> MaximaAsync(RecoveryWorld world, PostgresRestoreOptions options)
    {
        var report = await world.RestoreAsync(options);
        await using var server = await world.BootAsync(report.Plan.Layout.DataDirectory);
        return (await server.QueryAsync(
            "select max(n) filter (where n <= 1000000), count(*) filter (where n > 1000000) from numbered"))[0];
    }
}
