using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>Which components this version can protect, and which of them are configured.</summary>
public static class ProtectedComponents
{
    /// <summary>Those that can be backed up and restored.</summary>
    public static IReadOnlyList<string> Available { get; } = ["postgres", "redis", "voice_data", "logs", "configuration", "livekit"];

    /// <summary>Those of them that are configured, in the order of <see cref="Settings.Components"/>.</summary>
    public static IReadOnlyList<string> Of(BackupConfiguration configuration) => [.. configuration.ConfiguredComponents.Intersect(Available)];

    /// <summary>Those that were asked for, each once, in the order of <see cref="Settings.Components"/>; none: all that are configured.</summary>
    /// <exception cref="InvalidRequestException">One is unknown, not available, not configured, or nothing is configured.</exception>
    public static IReadOnlyList<string> Choose(BackupConfiguration configuration, IReadOnlyCollection<string> asked)
    {
        var configured = Of(configuration);
        foreach (var name in asked) Check(configuration, name);
        if (configured.Count == 0)
            throw new InvalidRequestException($"No component is configured; add one under components in {configuration.File}.");
        return asked.Count == 0 ? configured : [.. configured.Where(asked.Contains)];
    }

    /// <exception cref="InvalidRequestException">It is unknown, not available, or not configured.</exception>
    public static void Check(BackupConfiguration configuration, string name)
    {
        if (!Settings.Components.Contains(name))
        {
            var shown = new string([.. name.Take(40).Select(c => char.IsControl(c) ? '?' : c)]);
            var mend = NearestName.Find(name, Settings.Components) is { } near ? $"did you mean '{near}'?"
                : $"known: {string.Join(", ", Settings.Components)}.";
            throw new InvalidRequestException($"There is no component '{shown}'; {mend}");
        }

        if (!Available.Contains(name))
            throw new InvalidRequestException(
                $"Backups of {name} are not available in this version; it can protect {string.Join(", ", Available)}.");
        if (!configuration.ConfiguredComponents.Contains(name))
            throw new InvalidRequestException($"{name} is not configured; add components.{name} to {configuration.File}.");
    }
}
