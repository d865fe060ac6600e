using System.Globalization;
using System.Text;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>The settings that make a server recover to a goal (PostgreSQL manual, 20.5.5 Archive Recovery, 20.5.6 Recovery Target).</summary>
public static class RecoverySettings
{
    /// <summary>
    /// Everything that this class may write. What of it is found in <c>postgresql.auto.conf</c>, from an earlier restore or by hand, is
    /// replaced.
    /// </summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "restore_command", "recovery_end_command", "archive_cleanup_command", "recovery_min_apply_delay",
        "recovery_target_inclusive", "recovery_target_timeline", "recovery_target_action", .. Targets,
    ];

    private static string[] Targets =>
        ["recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_name", "recovery_target_xid"];

    /// <summary>Name and value of each setting, in order. A target that is not used is set to nothing: postgresql.conf may hold an old one.</summary>
    /// <param name="goal">Where to.</param>
    /// <param name="timeline">A timeline, or null for the latest.</param>
    /// <param name="action">What then.</param>
    /// <param name="restoreCommand">restore_command.</param>
    /// <exception cref="RestoreRefusedException">The target cannot be written as a setting.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> For(
        RestoreGoal goal, uint? timeline, RecoveryAction action, string restoreCommand)
    {
        var target = (goal as RestoreGoal.ToTarget)?.Target;
        var inclusive = target switch
        {
            RecoveryTarget.AtTime time => time.Inclusive,
            RecoveryTarget.AtLsn lsn => lsn.Inclusive,
            RecoveryTarget.AtXid xid => xid.Inclusive,
            _ => true,
        };
        var chosen = (goal, target) switch
        {
            (RestoreGoal.ToConsistency, _) => Setting("recovery_target", "immediate"),
            (_, RecoveryTarget.AtTime time) => Setting("recovery_target_time", FormatTime(time.Time, time.Inclusive)),
            (_, RecoveryTarget.AtLsn lsn) => Setting("recovery_target_lsn", lsn.Lsn.ToString()),
            (_, RecoveryTarget.AtName name) => Setting("recovery_target_name", CheckName(name.Name)),
            (_, RecoveryTarget.AtXid xid) => Setting("recovery_target_xid", xid.Xid.ToString(CultureInfo.InvariantCulture)),
            _ => default,
        };
        var settings = new List<KeyValuePair<string, string>>
        {
            Setting("restore_command", restoreCommand),
            // These may stand in a postgresql.conf made for a standby, and act in archive recovery too.
            Setting("recovery_end_command", ""),
            Setting("archive_cleanup_command", ""),
            Setting("recovery_min_apply_delay", "0"),
            Setting("recovery_target_inclusive", inclusive ? "on" : "off"),
            Setting("recovery_target_timeline", timeline is { } number ? number.ToString(CultureInfo.InvariantCulture) : "latest"),
            Setting("recovery_target_action", action switch
            {
                RecoveryAction.Pause => "pause",
                RecoveryAction.Shutdown => "shutdown",
                _ => "promote",
            }),
        };

        // A server takes them one by one, and refuses even an empty one after one that is set: the one that counts comes last.
        foreach (var name in Targets)
            if (name != chosen.Key) settings.Add(Setting(name, ""));
        if (chosen.Key is not null) settings.Add(chosen);
        return settings;

        static KeyValuePair<string, string> Setting(string name, string value) => new(name, value);
    }

    /// <summary>
    /// A time as PostgreSQL compares it: microseconds, in UTC with the offset stated, so that no time zone setting can shift it. A time that
    /// is finer (100 ns) is cut when inclusive and raised when exclusive, which selects the same commits.
    /// </summary>
    public static string FormatTime(DateTimeOffset time, bool inclusive)
    {
        var ticks = time.UtcTicks;
        var rest = ticks % TimeSpan.TicksPerMicrosecond;
        if (rest != 0) ticks += inclusive ? -rest : TimeSpan.TicksPerMicrosecond - rest;
        return new DateTime(ticks, DateTimeKind.Utc).ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + "+00";
    }

    private static string CheckName(string name) =>
        Encoding.UTF8.GetByteCount(name) is > 0 and < 64 && !name.AsSpan().ContainsAny('\0', '\n', '\r')
            ? name
            : throw new RestoreRefusedException($"'{name}' cannot be a restore point: names have 1 to 63 bytes and one line.");
}
