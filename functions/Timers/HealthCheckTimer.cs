using FunctionsBackup.Functions.Status;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Functions.Timers;

/// <summary>Daily: says in the log what is not well, and that all is well if it is.</summary>
public sealed partial class HealthCheckTimer(BackupSite site, StatusBoard board, ILogger<HealthCheckTimer> log)
{
    [Function("DailyHealthCheck")]
    [FixedDelayRetry(5, "00:01:00")]
    public async Task RunAsync([TimerTrigger("%" + AppSettings.Health + "%")] TimerInfo timer, CancellationToken cancellationToken)
    {
        if (site.IsWriteOnly) return; // what is in the repository another host knows
        var status = await board.GetAsync(cancellationToken);
        foreach (var reason in status.Components.SelectMany(c => c.Reasons)) LogNotWell(log, reason);
        if (status.Well) LogWell(log, status.Components.Count);
        else if (status.Components.Count == 0) LogNothing(log);
    }

    [LoggerMessage(5011, LogLevel.Information, "All {Count} components are protected, restorable and within their objectives.")]
    private static partial void LogWell(ILogger logger, int count);

    [LoggerMessage(5012, LogLevel.Warning, "Not well: {Reason}")]
    private static partial void LogNotWell(ILogger logger, string reason);

    [LoggerMessage(5013, LogLevel.Warning, "No component is configured, so nothing is protected.")]
    private static partial void LogNothing(ILogger logger);
}
