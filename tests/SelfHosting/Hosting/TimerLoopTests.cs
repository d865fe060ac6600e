using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using FunctionsBackup.SelfHosting.Hosting.Settings;
using FunctionsBackup.SelfHosting.Hosting.Timers;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Tests.SelfHosting.Hosting;

/// <summary>Timers on a clock that the test moves.</summary>
public sealed class TimerLoopTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly StateFolder _folder = new();
    private readonly ManualClock _clock = new(Noon);
    private readonly LogLines _log = new();
    private readonly List<TimerStore> _stores = [];

    public void Dispose()
    {
        foreach (var store in _stores) store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_timer_runs_when_it_is_due_and_not_before()
    {
        var host = Host(nameof(Timers.EveryQuarter));
        await host.StepsAsync(_clock, TimeSpan.FromHours(1));
        host.Runs.Select(r => r.At).ShouldBe([Noon.AddMinutes(15), Noon.AddMinutes(30), Noon.AddMinutes(45), Noon.AddMinutes(60)]);
        host.Runs.ShouldAllBe(r => !r.Info.IsPastDue);
        var status = host.Runs[1].Info.ScheduleStatus!;
        (status.Last, status.Next).ShouldBe((Noon.AddMinutes(15).UtcDateTime, Noon.AddMinutes(45).UtcDateTime));
        status.Last.Kind.ShouldBe(DateTimeKind.Utc);
    }

    [Fact]
    public async Task What_was_missed_while_no_host_ran_is_caught_up_once()
    {
        await Host(nameof(Timers.EveryQuarter)).StepsAsync(_clock, TimeSpan.FromMinutes(16));
        _clock.Advance(TimeSpan.FromDays(3) - TimeSpan.FromMinutes(5));
        var after = Host(nameof(Timers.EveryQuarter));
        await after.StepsAsync(_clock, TimeSpan.FromMinutes(20));
        after.Runs.Select(r => (r.At, r.Info.IsPastDue)).ShouldBe(
        [
            (Noon.AddDays(3).AddMinutes(11), true), (Noon.AddDays(3).AddMinutes(15), false), (Noon.AddDays(3).AddMinutes(30), false),
        ]);
        // what it was told reaches back to the occurrence that was run before
        after.Runs[0].Info.ScheduleStatus!.Last.ShouldBe(Noon.AddMinutes(15).UtcDateTime);
        after.Runs[1].Info.ScheduleStatus!.Last.ShouldBe(Noon.AddDays(3).UtcDateTime);
    }

    [Fact]
    public async Task A_new_timer_and_one_with_a_new_schedule_begin_now()
    {
        await Host(nameof(Timers.EveryQuarter)).StepsAsync(_clock, TimeSpan.FromMinutes(1));
        _clock.Advance(TimeSpan.FromDays(1));
        var changed = Host(nameof(Timers.EveryQuarter), zone: "Asia/Kolkata");
        await changed.StepsAsync(_clock, TimeSpan.FromMinutes(13));
        changed.Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_is_not_monitored_forgets_what_was_missed()
    {
        await Host(nameof(Timers.Unmonitored)).StepsAsync(_clock, TimeSpan.FromMinutes(16));
        _clock.Advance(TimeSpan.FromHours(5));
        var after = Host(nameof(Timers.Unmonitored));
        using var stop = new CancellationTokenSource();
        var running = after.Loop.RunAsync(stop.Token, CancellationToken.None);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(30));
        after.Runs.ShouldBeEmpty();
        await stop.CancelAsync();
        await running;
        _clock.Advance(TimeSpan.FromMinutes(14));
        await after.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        after.Runs.Single().Info.ScheduleStatus.ShouldBeNull();
    }

    [Fact]
    public async Task One_that_runs_on_startup_does()
    {
        var host = Host(nameof(Timers.OnStartup));
        using var stop = new CancellationTokenSource();
        var running = host.Loop.RunAsync(stop.Token, CancellationToken.None);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(30));
        host.Runs.Select(r => r.At).ShouldBe([Noon]);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Two_hosts_on_one_state_run_each_occurrence_once()
    {
        var (a, b) = (Host(nameof(Timers.EveryQuarter)), Host(nameof(Timers.EveryQuarter)));
        for (var step = 0; step < 24 * 60; step++)
        {
            await Task.WhenAll(
                Task.Run(() => a.Loop.StepAsync(CancellationToken.None, CancellationToken.None)),
                Task.Run(() => b.Loop.StepAsync(CancellationToken.None, CancellationToken.None)));
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        a.Runs.Concat(b.Runs).Select(r => r.At).Order().ShouldBe(Enumerable.Range(1, 95).Select(i => Noon.AddMinutes(15 * i)));
    }

    [Fact]
    public async Task What_one_host_is_running_the_other_leaves_alone_until_the_claim_runs_out()
    {
        var gate = new TaskCompletionSource();
        var (a, b) = (Host(nameof(Timers.EveryQuarter), run: _ => gate.Task), Host(nameof(Timers.EveryQuarter)));
        await a.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        _clock.Advance(TimeSpan.FromMinutes(15));
        var running = a.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        (await b.Loop.StepAsync(CancellationToken.None, CancellationToken.None)).ShouldBe(TimeSpan.FromSeconds(1));
        b.Runs.ShouldBeEmpty();

        // the first host stands still so long that its claim runs out: as if it had been killed
        _clock.Set(_clock.Now + TimerLoop.Lease);
        await b.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        b.Runs.Count.ShouldBe(1);
        gate.SetResult();
        await running;
        await a.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        a.Runs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_failure_is_logged_and_the_next_occurrence_comes()
    {
        var host = Host(nameof(Timers.EveryQuarter), run: _ => throw new InvalidOperationException("broken"));
        await host.StepsAsync(_clock, TimeSpan.FromMinutes(31));
        host.Runs.Count.ShouldBe(2);
        _log.Lines.Count(l => l.StartsWith("Error: The timer function 'EveryQuarter' failed (attempt 1).", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task One_with_retries_is_repeated_until_it_succeeds_and_only_then_noted()
    {
        var attempts = 0;
        var host = Host(nameof(Timers.WithRetries), run: _ => ++attempts < 4 ? throw new InvalidOperationException("broken") : Task.CompletedTask);
        await host.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        _clock.Advance(TimeSpan.FromMinutes(15));
        var step = host.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        for (var i = 0; i < 3; i++)
        {
            await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(10));
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        await step;
        attempts.ShouldBe(4);
        host.Runs.ShouldAllBe(r => r.Info.ScheduleStatus!.Last == Noon.UtcDateTime);
    }

    [Fact]
    public async Task One_that_did_not_succeed_before_the_host_stopped_is_run_by_the_next()
    {
        var host = Host(nameof(Timers.WithRetries), run: _ => throw new InvalidOperationException("broken"));
        await host.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        _clock.Advance(TimeSpan.FromMinutes(15));
        using var stop = new CancellationTokenSource();
        var running = host.Loop.RunAsync(stop.Token, CancellationToken.None);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(10));
        await stop.CancelAsync();
        await running;
        _clock.Advance(TimeSpan.FromSeconds(5));

        var next = Host(nameof(Timers.WithRetries));
        await next.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        next.Runs.Single().Info.IsPastDue.ShouldBeTrue();
        next.Runs.Single().Info.ScheduleStatus!.Last.ShouldBe(Noon.UtcDateTime);
    }

    [Fact]
    public async Task A_run_that_is_aborted_is_run_by_the_next_host()
    {
        using var abort = new CancellationTokenSource();
        var host = Host(nameof(Timers.EveryQuarter), run: async token =>
        {
            await abort.CancelAsync();
            token.ThrowIfCancellationRequested();
        });
        await host.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        _clock.Advance(TimeSpan.FromMinutes(15));
        await host.Loop.StepAsync(CancellationToken.None, abort.Token);
        var next = Host(nameof(Timers.EveryQuarter));
        await next.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        next.Runs.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(-2, 4)] // a small correction: nothing runs twice
    [InlineData(-90, 4)] // set back by much: it goes on from the new time
    [InlineData(600, 5)] // set ahead, or a machine that slept: the newest of what was missed
    public async Task A_clock_that_is_set_confuses_nobody(int minutes, int runs)
    {
        var host = Host(nameof(Timers.EveryQuarter));
        await host.StepsAsync(_clock, TimeSpan.FromMinutes(31));
        _clock.Set(_clock.Now.AddMinutes(minutes));
        await host.StepsAsync(_clock, TimeSpan.FromMinutes(minutes == 600 ? 32 : 45 - 14));
        host.Runs.Count.ShouldBe(runs);
    }

    [Fact]
    public async Task A_claim_from_the_future_of_a_clock_that_went_back_does_not_hold()
    {
        var gate = new TaskCompletionSource();
        var (a, b) = (Host(nameof(Timers.EveryQuarter), run: _ => gate.Task), Host(nameof(Timers.EveryQuarter)));
        await a.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        _clock.Set(Noon.AddYears(1));
        var lost = a.Loop.StepAsync(CancellationToken.None, CancellationToken.None); // claims in the future, and hangs
        _clock.Set(Noon.AddMinutes(15));
        await b.Loop.StepAsync(CancellationToken.None, CancellationToken.None);
        b.Runs.Count.ShouldBe(1);
        gate.SetResult();
        await lost;
    }

    [Theory]
    [InlineData("* * *", "that is not valid: it must have 5 fields")]
    [InlineData("0 0 30 2 *", "that never comes")]
    [InlineData("%MISSING%", "needs the setting 'MISSING', which is not there")]
    [InlineData("%MISSING", "has a '%' without its other half")]
    public void A_bad_schedule_is_refused(string schedule, string sentence)
    {
        var function = FunctionCatalog.Of([typeof(Timers)]).Functions.Single(f => f.Name == nameof(Timers.EveryQuarter));
        Should.Throw<HostingException>(() => TimerFunction.Of(
            function with { Trigger = new TimerTriggerAttribute(schedule) }, Settings(), TimeZoneInfo.Utc, Noon)).Message.ShouldContain(sentence);
    }

    [Fact]
    public void A_schedule_can_be_a_setting() => TimerFunction.Of(
        FunctionCatalog.Of([typeof(Timers)]).Functions.Single(f => f.Name == nameof(Timers.BySetting)), Settings(("TICK", "30 * * * *")),
        TimeZoneInfo.Utc, Noon).Schedule.NextAfter(Noon).ShouldBe(Noon.AddMinutes(30));

    private static ApplicationSettings Settings(params (string Name, string Value)[] values) =>
        new(values.ToDictionary(v => v.Name, v => v.Value), new Dictionary<string, string>(), new Dictionary<string, string>());

    private TestHost Host(string name, string zone = "UTC", Func<CancellationToken, Task>? run = null)
    {
        var store = new TimerStore(Path.Combine(_folder.Path, "timers.sqlite"));
        _stores.Add(store);
        var function = FunctionCatalog.Of([typeof(Timers)]).Functions.Single(f => f.Name == name);
        var timer = TimerFunction.Of(function, Settings(("TICK", "* * * * *")), TimeZoneInfo.FindSystemTimeZoneById(zone), _clock.Now);
        return new TestHost(timer, store, _clock, _log, run ?? (_ => Task.CompletedTask));
    }

    private sealed class TestHost
    {
        public TestHost(TimerFunction timer, TimerStore store, ManualClock clock, LogLines log, Func<CancellationToken, Task> run) =>
            Loop = new TimerLoop(timer, store, Guid.NewGuid().ToString(), clock, log, (info, abort) =>
            {
                Runs.Add((clock.Now, info));
                return run(abort);
            });

        public TimerLoop Loop { get; }

        public List<(DateTimeOffset At, TimerInfo Info)> Runs { get; } = [];

        /// <summary>Does for so long what the loop does: looks, and waits as long as it was told.</summary>
        public async Task StepsAsync(ManualClock clock, TimeSpan time)
        {
            var end = clock.Now + time;
            while (true)
            {
                var wait = await Loop.StepAsync(CancellationToken.None, CancellationToken.None);
                if (wait > TimeSpan.FromSeconds(30)) wait = TimeSpan.FromSeconds(30);
                if (clock.Now + wait > end)
                {
                    clock.Advance(end - clock.Now);
                    return;
                }

                clock.Advance(wait);
            }
        }
    }

    public static class Timers
    {
        [Function(nameof(EveryQuarter))]
        public static void EveryQuarter([TimerTrigger("0 */15 * * * *")] TimerInfo timer)
        {
        }

        [Function(nameof(Unmonitored))]
        public static void Unmonitored([TimerTrigger("0 */15 * * * *", UseMonitor = false)] TimerInfo timer)
        {
        }

        [Function(nameof(OnStartup))]
        public static void OnStartup([TimerTrigger("0 */15 * * * *", RunOnStartup = true)] TimerInfo timer)
        {
        }

        [Function(nameof(WithRetries))]
        [FixedDelayRetry(-1, "00:00:10")]
        public static void WithRetries([TimerTrigger("0 */15 * * * *")] TimerInfo timer)
        {
        }

        [Function(nameof(BySetting))]
        public static void BySetting([TimerTrigger("%TICK%")] TimerInfo timer)
        {
        }
    }
}
