using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Runs the function on a schedule (Microsoft.Azure.Functions.Worker.Extensions.Timer).</summary>
/// <param name="schedule">
/// NCRONTAB with six fields (seconds first) or five, or <c>%NAME%</c> for the application setting of that name.
/// </param>
public sealed class TimerTriggerAttribute(string schedule) : TriggerBindingAttribute
{
    public string Schedule { get; } = schedule;

    /// <summary>Whether occurrences are remembered across restarts, so that a missed one is caught up once.</summary>
    public bool UseMonitor { get; set; } = true;

    public bool RunOnStartup { get; set; }
}

/// <summary>What a timer function is told.</summary>
public class TimerInfo
{
    /// <summary>Null when the schedule is not monitored.</summary>
    public ScheduleStatus? ScheduleStatus { get; set; }

    /// <summary>Whether this occurrence should have been earlier.</summary>
    public bool IsPastDue { get; set; }
}

/// <summary>Occurrences of a schedule.</summary>
public class ScheduleStatus
{
    public DateTime Last { get; set; }

    public DateTime Next { get; set; }

    public DateTime LastUpdated { get; set; }
}
