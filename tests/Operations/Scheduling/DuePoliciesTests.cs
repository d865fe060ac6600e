using FunctionsBackup.Operations.Scheduling;
using FunctionsBackup.Tests.Operations.Configuration;

namespace FunctionsBackup.Tests.Operations.Scheduling;

public sealed class DuePoliciesTests
{
    private const string Yaml = """
        backup_config:
          global: { time_zone: Europe/Berlin }
          policies:
            postgres:
              schedule: { full_backup: "0 2 * * *", incremental: "0 */4 * * *" }
            redis:
              schedule: { snapshot: "30 0 */2 * * *" }
        """;

    [Fact]
    public void The_policies_of_a_configuration_have_its_zone()
    {
        var policies = Load.Text(Yaml).Schedules.ToList();
        policies.Select(p => (p.Component, p.Kind, p.Schedule.Expression.Text, p.Schedule.Zone.Id)).ShouldBe(
        [
            ("postgres", "full_backup", "0 2 * * *", "Europe/Berlin"), ("postgres", "incremental", "0 */4 * * *", "Europe/Berlin"),
            ("redis", "snapshot", "30 0 */2 * * *", "Europe/Berlin"),
        ]);
    }

    [Fact]
    public void Between_two_ticks_that_is_due_whose_time_has_come()
    {
        Due("2026-07-01T00:00:00Z", "2026-07-01T00:01:00Z").ShouldBe(["redis snapshot 2026-07-01T00:00:30Z"]); // 02:00 in summer
        Due("2026-06-30T23:59:59Z", "2026-07-01T00:00:00Z").ShouldBe(["postgres full_backup 2026-07-01T00:00:00Z"]);
        Due("2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z").ShouldBeEmpty();
        Due("2026-07-01T00:00:30Z", "2026-07-01T01:59:59Z").ShouldBeEmpty();
    }

    [Fact]
    public void After_downtime_the_newest_of_each_is_due_and_a_full_backup_stands_for_an_incremental_one() =>
        Due("2026-07-01T00:00:00Z", "2026-07-09T11:11:11Z").ShouldBe(
            ["postgres full_backup 2026-07-09T00:00:00Z", "redis snapshot 2026-07-09T10:00:30Z"]);

    [Theory]
    [InlineData("Europe/Berlim", "there is no 'Europe/Berlim'")]
    [InlineData("../../etc/passwd", "must be the IANA name")]
    [InlineData("\"\"", "must be the IANA name")]
    [InlineData("~", "has no value")]
    public void An_unknown_zone_is_refused(string zone, string message) =>
        Load.Refused($"backup_config: {{ global: {{ time_zone: {zone} }} }}").Message.ShouldContain(message);

    [Fact]
    public void The_zone_is_shown_by_its_name_and_UTC_is_the_default()
    {
        Load.Text(Yaml).Effective("global.time_zone").ShouldBe(("Europe/Berlin", "backup_config.yaml:2"));
        Load.Text("backup_config:").Effective("global.time_zone").ShouldBe(("UTC", "default"));
    }

    private static IEnumerable<string> Due(string after, string until) =>
        DuePolicies.Between(Load.Text(Yaml).Schedules, DateTimeOffset.Parse(after), DateTimeOffset.Parse(until))
            .Select(d => $"{d.Component} {d.Kind} {d.DueAt.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}");
}
