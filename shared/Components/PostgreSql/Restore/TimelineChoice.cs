using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>Which timeline recovery follows (recovery_target_timeline).</summary>
/// <param name="Number">A timeline, or 0 for what <paramref name="IsCurrent"/> says.</param>
/// <param name="IsCurrent">The timeline that the base backup was taken on; otherwise the latest in the archive.</param>
public readonly record struct TimelineChoice(uint Number, bool IsCurrent)
{
    public static TimelineChoice Latest => default;

    public static TimelineChoice Current => new(0, true);

    /// <summary><c>latest</c>, <c>current</c> or a number from 1.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static TimelineChoice Parse(string text) => text switch
    {
        "latest" => Latest,
        "current" => Current,
        _ when uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 => new(number, false),
        _ => throw new FormatException($"'{text}' is not a timeline; write latest, current, or a number such as 1."),
    };

    /// <summary>The timeline's number for a base backup, or null for the latest.</summary>
    public uint? For(PostgresBackupDetails backup) => IsCurrent ? backup.Timeline : Number > 0 ? Number : null;
}
