using System.CommandLine;
using System.Globalization;
using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Cli.Running.Auditing;

/// <summary>Options that say which entries are wanted.</summary>
internal static class AuditOptions
{
    public static Option<string?> From { get; } = new("--from")
    {
        Description = "Not older than this: a day, or a time with its zone.", HelpName = "TIME",
    };

    public static Option<string?> To { get; } = new("--to")
    {
        Description = "Older than this: a day, or a time with its zone.", HelpName = "TIME",
    };

    /// <summary>A time with its zone, or a day (its beginning, UTC).</summary>
    /// <exception cref="UsageException">It is neither.</exception>
    public static DateTimeOffset? Moment(string? text) => text switch
    {
        null => null,
        _ when DateOnly.TryParseExact(text.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) =>
            new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero),
        _ => Moments.Parse(text),
    };

    public static AuditFilter Range(CommandContext context) => new() { From = Moment(context.Get(From)), To = Moment(context.Get(To)) };
}
