using System.Diagnostics.CodeAnalysis;

namespace FunctionsBackup.Operations.Scheduling;

/// <summary>Time zones by their IANA names (<c>Europe/Berlin</c>), from the system's database.</summary>
public static class TimeZones
{
    /// <returns>What is wrong, with the mend; null if the zone was found.</returns>
    public static string? TryFind(string name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        // UTC needs no database. Names are looked up as files: only what can be a name is.
        if (name is "UTC" or "Etc/UTC")
        {
            zone = TimeZoneInfo.Utc;
            return null;
        }

        if (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+'))
            return "must be the IANA name of a time zone, as in Europe/Berlin";
        if (TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone)) return null;
        return TimeZoneInfo.TryFindSystemTimeZoneById("Europe/Berlin", out _)
            ? $"must be the IANA name of a time zone, as in Europe/Berlin; there is no '{name}'"
            : $"is '{name}', but this system has no time zone database; install the package tzdata, or use UTC";
    }
}
