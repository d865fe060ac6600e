using System.CommandLine;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Cli.Running;

/// <summary>Components as arguments.</summary>
internal static class ComponentNames
{
    public static Option<string?> Option(string description) =>
        new("--type") { Description = description, HelpName = string.Join('|', Settings.Components) };

    /// <summary>The name, checked; null for none or <c>all</c>.</summary>
    public static string? Check(string? name)
    {
        if (name is null or "all" || Settings.Components.Contains(name)) return name == "all" ? null : name;
        var mend = NearestName.Find(name, Settings.Components) is { } near ? $"did you mean '{near}'?"
            : $"known: {string.Join(", ", Settings.Components)}.";
        throw new UsageException($"There is no component '{name}'; {mend}");
    }
}
