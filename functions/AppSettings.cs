namespace FunctionsBackup.Functions;

/// <summary>Application settings that the timers' schedules are taken from, and what they are where nobody sets them. On Azure they must be
/// set; <c>local.settings.sample.json</c> has them all.</summary>
public static class AppSettings
{
    public const string Tick = "FBACKUP_SCHEDULE_TICK";
    public const string Wal = "FBACKUP_SCHEDULE_WAL";
    public const string Health = "FBACKUP_SCHEDULE_HEALTH";
    public const string Verification = "FBACKUP_SCHEDULE_VERIFICATION";
    public const string Retention = "FBACKUP_SCHEDULE_RETENTION";
    public const string Replication = "FBACKUP_SCHEDULE_REPLICATION";
    public const string Drill = "FBACKUP_SCHEDULE_DRILL";

    /// <summary>NCRONTAB with seconds first, in the zone of <c>WEBSITE_TIME_ZONE</c> (UTC).</summary>
    public static IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string>
    {
        [Tick] = "0 * * * * *",
        [Wal] = "30 */5 * * * *",
        [Health] = "0 0 6 * * *",
        [Verification] = "0 30 4 * * *",
        [Retention] = "0 30 5 * * *",
        [Replication] = "15 */10 * * * *",
        [Drill] = "0 0 8 1 * *",
    };
}
