using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Tests.Orchestrations;

public sealed class InstanceIdTests
{
    private static readonly DateTimeOffset Due = new(2026, 11, 22, 2, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_scheduled_start_is_named_by_policy_and_time() =>
        InstanceIds.Scheduled(InstanceIds.Backup, "postgres-full", Due).ShouldBe("backup-postgres-full-20261122T0200Z");

    [Fact]
    public void Zones_do_not_matter_and_seconds_only_where_there_are_any()
    {
        InstanceIds.Scheduled(InstanceIds.Backup, "logs-full", Due.ToOffset(TimeSpan.FromHours(9))).ShouldBe("backup-logs-full-20261122T0200Z");
        InstanceIds.Scheduled(InstanceIds.Backup, "logs-full", Due.AddSeconds(30)).ShouldBe("backup-logs-full-20261122T020030Z");
    }

    [Fact]
    public void A_start_on_demand_carries_its_time() =>
        InstanceIds.OnDemand(InstanceIds.Backup, "all", Due, new Random(1)).ShouldMatch("^backup-all-20261122T020000Z-[0-9a-f]{4}$");

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("../x")]
    public void What_cannot_stand_in_an_id_is_refused(string subject) =>
        Should.Throw<ArgumentException>(() => InstanceIds.Singleton(InstanceIds.Backup, subject));
}
