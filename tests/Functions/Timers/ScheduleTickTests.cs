using FunctionsBackup.Functions.Timers;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace FunctionsBackup.Tests.Functions.Timers;

/// <summary>The tick against a real engine, on a clock that the test moves.</summary>
public sealed class ScheduleTickTests : IAsyncLifetime
{
    /// <summary>Sunday night, on which Berlin's clocks skip from 02:00 to 03:00.</summary>
    private static readonly DateTimeOffset Start = new(2026, 3, 28, 23, 0, 0, TimeSpan.Zero);

    private readonly TestClock _clock = new(Start);
    private TestSite _site = null!;

    public async Task InitializeAsync() => _site = await TestSite.CreateAsync();

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task Each_policy_is_started_when_it_is_due_also_where_the_clock_skips()
    {
        var host = await _site.BuildAsync(_clock);
        await TicksAsync([host], TimeSpan.FromHours(5));
        (await IdsAsync(host)).Where(id => id.Contains("voice", StringComparison.Ordinal)).ShouldBe(
        [
            "backup-voice_data-full-20260329T0100Z", // 02:30 does not exist: at the change
            "backup-voice_data-incremental-20260329T0200Z", // 04:00 in summer time
        ]);
        (await IdsAsync(host)).Count(id => id.StartsWith("backup-logs-snapshot-", StringComparison.Ordinal)).ShouldBe(30);
        (await IdsAsync(host)).ShouldContain("backup-logs-snapshot-20260329T001015Z");
        var metadata = (await host.Client.GetInstanceAsync("backup-voice_data-full-20260329T0100Z", true))!;
        metadata.ReadInputAs<BackupRequest>()!.ShouldSatisfyAllConditions(
            r => r.Components.ShouldBe(["voice_data"]), r => r.Full.ShouldBeTrue(), r => r.RequestedBy.ShouldBe("schedule"),
            r => r.DueAt.ShouldBe(new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero)));
    }

    [Fact]
    public async Task Two_hosts_and_repeated_ticks_start_nothing_twice()
    {
        FunctionsHost[] hosts = [await _site.BuildAsync(_clock), await _site.BuildAsync(_clock)];
        await TicksAsync(hosts, TimeSpan.FromHours(5));
        (await IdsAsync(hosts[0])).Count.ShouldBe(32);
        await TickAsync(hosts[1], Start); // as if the whole time were looked at again
        (await IdsAsync(hosts[0])).Count.ShouldBe(32);
    }

    [Fact]
    public async Task After_downtime_the_newest_of_each_policy_is_caught_up()
    {
        var host = await _site.BuildAsync(_clock);
        await TicksAsync([host], TimeSpan.FromMinutes(1));
        _clock.Now = Start.AddDays(10).AddMinutes(7);
        var again = await _site.BuildAsync(_clock);
        await TickAsync(again, Start.AddMinutes(1));
        (await IdsAsync(again)).ShouldBe(
        [
            "backup-logs-snapshot-20260328T230015Z", // from before
            "backup-logs-snapshot-20260407T230015Z", "backup-voice_data-full-20260407T0030Z",
            "restoretest-all-20260405T0500Z", // the last Sunday, 07:00 in Berlin
        ]);
        await TickAsync(again, Start.AddMinutes(1));
        (await IdsAsync(again)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task Restore_tests_are_started_when_the_configuration_says()
    {
        File.AppendAllText(_site.ConfigurationFile, "  restore_tests: { schedule: \"30 0 * * *\", sample: 4 }\n");
        var host = await _site.BuildAsync(_clock);
        await TicksAsync([host], TimeSpan.FromHours(2));
        var id = (await IdsAsync(host)).Single(i => i.StartsWith("restoretest-", StringComparison.Ordinal));
        id.ShouldBe("restoretest-all-20260328T2330Z"); // half past midnight in Berlin
        (await host.Client.GetInstanceAsync(id, true))!.ReadInputAs<RestoreTestRequest>()!.ShouldSatisfyAllConditions(
            r => r.Sample.ShouldBe(4), r => r.Components.ShouldBe(["voice_data", "logs"]), r => r.RequestedBy.ShouldBe("schedule"));
    }

    [Fact]
    public async Task One_that_ended_is_not_started_again()
    {
        var host = await _site.BuildAsync(_clock);
        _clock.Now = Start.AddHours(3);
        await TickAsync(host, Start);
        host.StartEngine();
        await host.Client.TerminateInstanceAsync("backup-voice_data-full-20260329T0100Z", "enough");
        await host.Client.WaitForInstanceCompletionAsync("backup-voice_data-full-20260329T0100Z").WaitAsync(TimeSpan.FromSeconds(60));
        await TickAsync(host, Start);
        (await host.Client.GetInstanceAsync("backup-voice_data-full-20260329T0100Z"))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Terminated);
    }

    [Fact]
    public async Task A_configuration_that_cannot_be_used_fails_the_tick_so_that_it_is_repeated()
    {
        var host = await _site.BuildAsync(_clock);
        File.WriteAllText(_site.ConfigurationFile, "backup_config: { global: { parallel_jobs: many } }");
        _clock.Now = Start.AddHours(3);
        await Should.ThrowAsync<Exception>(() => TickAsync(host, Start));
        (await IdsAsync(host)).ShouldBeEmpty();
        File.WriteAllText(_site.ConfigurationFile, TestSite.Yaml);
        File.SetLastWriteTimeUtc(_site.ConfigurationFile, Start.UtcDateTime);
        await TickAsync(host, Start);
        (await IdsAsync(host)).ShouldContain("backup-voice_data-full-20260329T0100Z");
    }

    [Fact]
    public void What_a_host_says_about_the_last_run_is_read_in_all_its_forms()
    {
        var now = Start;
        Since(null).ShouldBe(now.AddMinutes(-1));
        Since(new ScheduleStatus()).ShouldBe(now.AddMinutes(-1));
        Since(new ScheduleStatus { Last = now.AddHours(-2).UtcDateTime }).ShouldBe(now.AddHours(-2));
        Since(new ScheduleStatus { Last = DateTime.SpecifyKind(now.AddHours(-2).UtcDateTime, DateTimeKind.Unspecified) }).ShouldBe(now.AddHours(-2));
        Since(new ScheduleStatus { LastUpdated = now.AddHours(-1).UtcDateTime }).ShouldBe(now.AddHours(-1));
        Since(new ScheduleStatus { Last = now.AddHours(1).UtcDateTime }).ShouldBe(now.AddMinutes(-1)); // the clock went back

        DateTimeOffset Since(ScheduleStatus? status) =>
            Occurrence.Since(new TimerInfo { ScheduleStatus = status }, now, TimeSpan.FromMinutes(1));
    }

    /// <summary>A tick each minute, on every host at once.</summary>
    private async Task TicksAsync(IReadOnlyList<FunctionsHost> hosts, TimeSpan time)
    {
        for (var end = _clock.Now + time; _clock.Now < end;)
        {
            var last = _clock.Now;
            _clock.Now = last.AddMinutes(1);
            await Task.WhenAll(hosts.Select(h => Task.Run(() => TickAsync(h, last))));
        }
    }

    private Task TickAsync(FunctionsHost host, DateTimeOffset last)
    {
        var services = host.Services;
        var tick = new ScheduleTick(
            services.GetRequiredService<BackupSite>(), services.GetRequiredService<BackupStarter>(),
            services.GetRequiredService<RestoreTestStarter>(), NullLogger<ScheduleTick>.Instance);
        var timer = new TimerInfo { ScheduleStatus = new ScheduleStatus { Last = last.UtcDateTime, LastUpdated = last.UtcDateTime } };
        return tick.RunAsync(timer, host.Client, CancellationToken.None);
    }

    private static async Task<List<string>> IdsAsync(FunctionsHost host)
    {
        var ids = new List<string>();
        await foreach (var instance in host.Client.GetAllInstancesAsync()) ids.Add(instance.InstanceId);
        ids.Sort(StringComparer.Ordinal);
        return ids;
    }
}
