using FunctionsBackup.Functions;
using FunctionsBackup.Functions.Timers;
using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Verification;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace FunctionsBackup.Tests.Functions.Timers;

public sealed class MaintenanceTimersTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Sunday = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TestClock _clock = new(Sunday);
    private TestSite _site = null!;

    public async Task InitializeAsync() => _site = await TestSite.CreateAsync();

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task Each_starts_one_instance_named_by_its_occurrence_however_often_it_is_repeated()
    {
        var host = await _site.BuildAsync(_clock);
        var services = host.Services;
        var timers = new MaintenanceTimers(
            services.GetRequiredService<BackupSite>(), services.GetRequiredService<IConfiguration>(),
            services.GetRequiredService<VerificationStarter>(), services.GetRequiredService<RetentionStarter>(),
            services.GetRequiredService<RestoreTestStarter>());
        var timer = new TimerInfo { ScheduleStatus = new ScheduleStatus { Last = Sunday.AddDays(-1).UtcDateTime } };
        for (var i = 0; i < 3; i++, _clock.Now = _clock.Now.AddMinutes(3))
        {
            await timers.VerifyAsync(timer, host.Client, CancellationToken.None);
            await timers.RetainAsync(timer, host.Client, CancellationToken.None);
            await timers.DrillAsync(timer, host.Client, CancellationToken.None);
        }

        var ids = new List<string>();
        await foreach (var instance in host.Client.GetAllInstancesAsync()) ids.Add(instance.InstanceId);
        ids.Order().ShouldBe(
        [
            "restoretest-all-20260301T0800Z", "retention-all-20260301T0000Z", "verify-all-20260301T0430Z",
        ]);
    }

    [Fact]
    public void The_standard_schedules_are_valid_and_stand_in_the_sample_settings()
    {
        var sample = FunctionsBackup.SelfHosting.Hosting.Settings.LocalSettings.Load(Path.Combine(Repository(), "local.settings.sample.json"));
        foreach (var (name, schedule) in AppSettings.Defaults)
        {
            CronSchedule.TryParse(schedule, out _).ShouldBeNull();
            sample[name].ShouldBe(schedule);
        }
    }

    [Fact]
    public void Host_json_is_one_that_this_host_reads() => FunctionsBackup.SelfHosting.Hosting.Settings.HostJson
        .Load(Path.Combine(Repository(), "host.json")).ShouldSatisfyAllConditions(h => h.RoutePrefix.ShouldBe("api"), h => h.FunctionTimeout.ShouldBeNull());

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FunctionsBackup.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
