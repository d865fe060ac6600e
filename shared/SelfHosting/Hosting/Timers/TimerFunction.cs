using System.Globalization;
using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Operations.Scheduling;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using FunctionsBackup.SelfHosting.Hosting.Settings;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.SelfHosting.Hosting.Timers;

/// <summary>A function with its schedule, checked.</summary>
/// <param name="Function">The function.</param>
/// <param name="Schedule">In the host's zone.</param>
/// <param name="UseMonitor">Whether an occurrence that was missed is caught up.</param>
/// <param name="RunOnStartup">Whether it is run once when the host starts.</param>
internal sealed record TimerFunction(FunctionDescriptor Function, Schedule Schedule, bool UseMonitor, bool RunOnStartup)
{
    /// <summary>What a change of means another timer.</summary>
    public string Fingerprint => $"{Schedule.Expression.SixFields} {Schedule.Zone.Id}";

    /// <summary>How often a failed run is repeated; -1: until it succeeds.</summary>
    public int Retries => Function.Retry?.MaxRetryCount ?? 0;

    public TimeSpan RetryDelay =>
        Function.Retry is { } retry ? TimeSpan.Parse(retry.DelayInterval, CultureInfo.InvariantCulture) : TimeSpan.Zero;

    /// <exception cref="HostingException">A setting is missing, or the schedule is not valid or never comes.</exception>
    public static TimerFunction Of(FunctionDescriptor function, ApplicationSettings settings, TimeZoneInfo zone, DateTimeOffset now)
    {
        var trigger = (TimerTriggerAttribute)function.Trigger;
        var text = settings.Resolve(trigger.Schedule, $"{function}");
        if (CronSchedule.TryParse(text, out var expression) is { } problem)
            throw new HostingException($"{function} has a schedule '{text}' that is not valid: it {problem}.");
        var schedule = new Schedule(expression!, zone);
        if (schedule.NextAfter(now) is null) throw new HostingException($"{function} has a schedule '{text}' that never comes; mend it.");
        return new TimerFunction(function, schedule, trigger.UseMonitor, trigger.RunOnStartup);
    }
}
