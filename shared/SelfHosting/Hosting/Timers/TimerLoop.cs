using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Hosting.Timers;

/// <summary>
/// Runs one timer function whenever it is due. What it goes by is the wall clock and what was noted last, looked at anew at least twice a
/// minute: a machine that slept, a clock that was set, and a host that was down are one case.
/// </summary>
/// <param name="timer">What and when.</param>
/// <param name="store">What has been run.</param>
/// <param name="owner">This host, in claims.</param>
/// <param name="time">The clock.</param>
/// <param name="log">For failures and what is unusual.</param>
/// <param name="run">Runs the function.</param>
internal sealed partial class TimerLoop(
    TimerFunction timer, TimerStore store, string owner, TimeProvider time, ILogger log,
    Func<TimerInfo, CancellationToken, Task> run)
{
    /// <summary>How long a claim is good without being renewed.</summary>
    internal static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>A clock that was set back by less is waited for; by more, the timer goes on from the new time.</summary>
    private static readonly TimeSpan SmallCorrection = TimeSpan.FromMinutes(5);

    /// <summary>What is later than this is past due.</summary>
    private static readonly TimeSpan Punctual = TimeSpan.FromSeconds(1);

    private string Name => timer.Function.Name;

    /// <param name="stopping">No further runs begin.</param>
    /// <param name="abort">A run that goes on is cancelled.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        for (var first = true; !stopping.IsCancellationRequested; first = false)
        {
            try
            {
                if (first && !timer.UseMonitor) Forget();
                if (first && timer.RunOnStartup) await TryRunAsync(time.GetUtcNow(), Load(), pastDue: false, stopping, abort);
                var wait = await StepAsync(stopping, abort);
                if (wait > TimeSpan.Zero) await Task.Delay(wait < LongestWait ? wait : LongestWait, time, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // a full disk today is no reason for no backup tomorrow
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogStateFailed(log, e, Name);
                await Task.Delay(LongestWait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Runs what is due, if anything is; returns how long there is nothing to do.</summary>
    internal async Task<TimeSpan> StepAsync(CancellationToken stopping, CancellationToken abort)
    {
        var now = time.GetUtcNow();
        var state = Load();
        if (state.Last - now > SmallCorrection)
        {
            LogClockWentBack(log, Name, state.Last, now);
            store.Reset(Name, now);
            return TimeSpan.Zero;
        }

        if (timer.Schedule.NextAfter(state.Last) is not { } next) return LongestWait;
        if (next > now) return next - now;
        // The newest of what was missed stands for all of it.
        var occurrence = timer.Schedule.LatestBetween(state.Last, now) ?? next;
        return await TryRunAsync(occurrence, state, now - next > Punctual, stopping, abort) ? TimeSpan.Zero : TimeSpan.FromSeconds(1);
    }

    /// <summary>False: another host has it.</summary>
    private async Task<bool> TryRunAsync(
        DateTimeOffset occurrence, TimerState state, bool pastDue, CancellationToken stopping, CancellationToken abort)
    {
        if (!store.TryClaim(Name, state.Last, owner, time.GetUtcNow(), Lease)) return false;
        var done = false;
        using var renewal = new CancellationTokenSource();
        var renewing = RenewAsync(renewal.Token);
        try
        {
            var info = new TimerInfo { IsPastDue = pastDue };
            if (timer.UseMonitor)
            {
                info.ScheduleStatus = new ScheduleStatus
                {
                    Last = state.Last.UtcDateTime,
                    Next = (timer.Schedule.NextAfter(occurrence) ?? occurrence).UtcDateTime,
                    LastUpdated = state.Updated.UtcDateTime,
                };
            }

            done = await RunWithRetriesAsync(info, stopping, abort);
            return true;
        }
        finally
        {
            await renewal.CancelAsync();
            await renewing;
            if (done) store.Complete(Name, owner, occurrence > state.Last ? occurrence : state.Last, time.GetUtcNow());
            else store.Release(Name, owner);
        }
    }

    /// <summary>False: the host stops before the function has succeeded, so it is run again later.</summary>
    private async Task<bool> RunWithRetriesAsync(TimerInfo info, CancellationToken stopping, CancellationToken abort)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await run(info, abort);
                return true;
            }
            catch (OperationCanceledException) when (abort.IsCancellationRequested)
            {
                return false;
            }
#pragma warning disable CA1031 // whatever a function throws, its next occurrence comes
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogFailed(log, e, Name, attempt + 1);
            }

            if (timer.Retries >= 0 && attempt >= timer.Retries) return true;
            await Task.Delay(timer.RetryDelay, time, stopping);
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Lease / 3, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return;
            try
            {
                if (!store.Renew(Name, owner, time.GetUtcNow() + Lease)) LogClaimLost(log, Name);
            }
            catch (Microsoft.Data.Sqlite.SqliteException e)
            {
                LogStateFailed(log, e, Name);
            }
        }
    }

    private TimerState Load() => store.Load(Name, timer.Fingerprint, time.GetUtcNow());

    /// <summary>Occurrences before this start do not count.</summary>
    private void Forget()
    {
        Load();
        store.Forget(Name, time.GetUtcNow());
    }

    [LoggerMessage(4101, LogLevel.Error, "The timer function '{Name}' failed (attempt {Attempt}).")]
    private static partial void LogFailed(ILogger logger, Exception exception, string name, int attempt);

    [LoggerMessage(4102, LogLevel.Warning, "The clock went back from {Last} to {Now}; the timer '{Name}' goes on from the new time.")]
    private static partial void LogClockWentBack(ILogger logger, string name, DateTimeOffset last, DateTimeOffset now);

    [LoggerMessage(4103, LogLevel.Warning, "The timer function '{Name}' runs, but its claim was taken by another host.")]
    private static partial void LogClaimLost(ILogger logger, string name);

    [LoggerMessage(4104, LogLevel.Error, "The state of the timer '{Name}' cannot be read or written; it is tried again.")]
    private static partial void LogStateFailed(ILogger logger, Exception exception, string name);
}
