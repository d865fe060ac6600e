using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>The facts in <c>backup_label</c> (PostgreSQL manual, 26.3.4): where replay begins, and on which timeline.</summary>
/// <param name="StartLsn">REDO location of the starting checkpoint.</param>
/// <param name="Timeline">Timeline of that.</param>
/// <param name="FromStandby">Taken from a server in recovery.</param>
public sealed record BackupLabel(Lsn StartLsn, uint Timeline, bool FromStandby)
{
    public const string FileName = "backup_label";

    /// <exception cref="PostgresBackupException">The text is not a backup label.</exception>
    public static BackupLabel Parse(string text)
    {
        Lsn? start = null;
        uint timeline = 0;
        var standby = false;
        foreach (var line in text.Split('\n'))
        {
            const string Start = "START WAL LOCATION: ", Timeline = "START TIMELINE: ", From = "BACKUP FROM: ";
            if (line.StartsWith(Start, StringComparison.Ordinal) && Lsn.TryParse(line[Start.Length..].Split(' ')[0], out var lsn)) start = lsn;
            else if (line.StartsWith(Timeline, StringComparison.Ordinal))
                _ = uint.TryParse(line.AsSpan(Timeline.Length), NumberStyles.None, CultureInfo.InvariantCulture, out timeline);
            else if (line.StartsWith(From, StringComparison.Ordinal)) standby = line.AsSpan(From.Length).Trim() is "standby";
        }

        return start is { } found && timeline > 0
            ? new BackupLabel(found, timeline, standby)
            : throw new PostgresBackupException("The server gave a backup label that does not say where replay begins.");
    }

    /// <summary>
    /// The label of a copy that is whole: without the lines by which the server would insist on pg_combinebackup.
    /// </summary>
    public static byte[] WithoutIncremental(ReadOnlySpan<byte> label) => Encoding.UTF8.GetBytes(string.Concat(
        Encoding.UTF8.GetString(label).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith("INCREMENTAL FROM ", StringComparison.Ordinal)).Select(line => line + "\n")));
}
