namespace FunctionsBackup.Operations.Configuration;

/// <summary>The settings of <c>anomalies:</c>, a part of the table of all.</summary>
internal static class AnomalyTable
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new("anomalies.enabled", SettingKind.Boolean, "true", "Whether each backup is compared with those before it."),
        new("anomalies.ignore", SettingKind.Globs, null, "Components that are not compared, as in [logs]."),
        new("anomalies.minimum_history", SettingKind.Integer, "5", "Backups that must lie behind before changes are judged.")
        {
            Minimum = 2, Maximum = 30,
        },
        new("anomalies.deviations", SettingKind.Integer, "6",
            "How many (scaled) median absolute deviations from the median are unusual; more: fewer alarms.")
        {
            Minimum = 2, Maximum = 100,
        },
        new("anomalies.minimum_size", SettingKind.Integer, "64", "MiB: less that is new, or gone, is never suspicious.")
        {
            Minimum = 1, Maximum = 1 << 20,
        },
        new("anomalies.minimum_files", SettingKind.Integer, "100", "Fewer files that are gone are never suspicious.") { Minimum = 1 },
        Percent("changed_percent", "20", "Changed bytes are suspicious from this share of all on, and from three times the median."),
        Percent("new_percent", "50", "Deduplication has collapsed when this share of all is new, and usually 30 points less."),
        Percent("stored_percent", "95", "Compression has collapsed when this share of what is new remains, and usually 25 points less."),
        Percent("deleted_percent", "30", "So many of the files gone since the backup before are a mass deletion."),
        Percent("shrunk_percent", "50", "So many of the bytes gone since the backup before are a source that shrank."),
    ];

    private static Setting Percent(string name, string value, string documentation) =>
        new($"anomalies.{name}", SettingKind.Integer, value, documentation) { Minimum = 1, Maximum = 100 };
}
