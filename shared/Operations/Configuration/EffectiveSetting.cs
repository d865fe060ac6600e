using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>A setting's value and where it comes from.</summary>
/// <param name="Setting">The declaration.</param>
/// <param name="Value">Of the type that <see cref="SettingKind"/> names; null: not set.</param>
/// <param name="Source"><c>default</c>, <c>backup_config.yaml:5</c> or <c>environment variable NAME</c>.</param>
public sealed record EffectiveSetting(Setting Setting, object? Value, string Source)
{
    public bool IsDefault => Source == "default";

    /// <summary>The value as it may be shown: secrets only by their reference.</summary>
    public string Display => Value switch
    {
        null => "",
        bool yes => yes ? "true" : "false",
        TimeSpan duration => Duration.Format(duration),
        TimeZoneInfo zone => zone.Id,
        IReadOnlyList<ReplicaSettings> replicas => $"[{string.Join(", ", replicas)}]",
        IReadOnlyList<string> texts => $"[{string.Join(", ", texts)}]",
        _ when Setting.Kind == SettingKind.Reserved => "(not used by this version)",
        var other => other.ToString() ?? "",
    };
}
