using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Tests.Components.PostgreSql.Restore;

public sealed class RecoverySettingsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.FromHours(1));

    [Fact]
    public void Exactly_one_target_is_set_and_every_other_is_cleared()
    {
        RestoreGoal[] goals =
        [
            RestoreGoal.Immediate, RestoreGoal.To(new RecoveryTarget.AtTime(Noon)), RestoreGoal.To(new RecoveryTarget.AtLsn(new Lsn(0x2000028))),
            RestoreGoal.To(new RecoveryTarget.AtName("before")), RestoreGoal.To(new RecoveryTarget.AtXid(731)),
        ];
        string[] targets = ["recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_name", "recovery_target_xid"];
        for (var i = 0; i < goals.Length; i++)
        {
            var settings = Settings(goals[i]);
            for (var j = 0; j < targets.Length; j++)
                (settings[targets[j]].Length > 0).ShouldBe(i == j, $"{targets[j]} for {goals[i].Describe()}");
            RecoverySettings.Names.ShouldBe(settings.Keys, ignoreOrder: true);

            // A server refuses even an empty target after one that is set.
            RecoverySettings.For(goals[i], null, RecoveryAction.Promote, "x")[^1].Key.ShouldBe(targets[i]);
        }

        targets.ShouldAllBe(target => Settings(RestoreGoal.Latest)[target] == "");
    }

    [Fact]
    public void A_time_is_written_in_utc_with_its_offset_and_in_microseconds()
    {
        Settings(RestoreGoal.To(new RecoveryTarget.AtTime(Noon.AddTicks(1234567))))["recovery_target_time"].ShouldBe("2026-11-22 11:00:00.123456+00");
    }

    [Theory]
    [InlineData(0, true, "11:00:00.000000")]
    [InlineData(9, true, "11:00:00.000000")]
    [InlineData(10, true, "11:00:00.000001")]
    [InlineData(0, false, "11:00:00.000000")]
    [InlineData(1, false, "11:00:00.000001")]
    public void A_time_finer_than_microseconds_selects_the_same_commits(long ticks, bool inclusive, string expected)
    {
        RecoverySettings.FormatTime(Noon.AddTicks(ticks), inclusive).ShouldBe($"2026-11-22 {expected}+00");
    }

    [Fact]
    public void Edge_action_and_timeline_are_written()
    {
        var settings = RecoverySettings.For(RestoreGoal.To(new RecoveryTarget.AtXid(5, Inclusive: false)), 3, RecoveryAction.Pause, "x")
            .ToDictionary(s => s.Key, s => s.Value);
        settings["recovery_target_inclusive"].ShouldBe("off");
        settings["recovery_target_timeline"].ShouldBe("3");
        settings["recovery_target_action"].ShouldBe("pause");
        Settings(RestoreGoal.Latest)["recovery_target_timeline"].ShouldBe("latest");
        Settings(RestoreGoal.To(new RecoveryTarget.AtLsn(new Lsn(0x1_0000_0028))))["recovery_target_lsn"].ShouldBe("1/28");
        Settings(RestoreGoal.To(new RecoveryTarget.AtLsn(new Lsn(8))))["recovery_target_inclusive"].ShouldBe("off");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nrecovery_target_action = 'shutdown'")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void A_name_that_no_server_takes_is_refused(string name)
    {
        Should.Throw<RestoreRefusedException>(() => Settings(RestoreGoal.To(new RecoveryTarget.AtName(name))));
    }

    [Theory]
    [InlineData("latest", 0u, false)]
    [InlineData("current", 0u, true)]
    [InlineData("7", 7u, false)]
    public void A_timeline_is_latest_current_or_a_number(string text, uint number, bool current)
    {
        TimelineChoice.Parse(text).ShouldBe(new TimelineChoice(number, current));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("newest")]
    [InlineData("")]
    public void Anything_else_is_no_timeline(string text) => Should.Throw<FormatException>(() => TimelineChoice.Parse(text));

    private static Dictionary<string, string> Settings(RestoreGoal goal) =>
        RecoverySettings.For(goal, null, RecoveryAction.Promote, "fetch %f %p").ToDictionary(s => s.Key, s => s.Value);
}
