using FunctionsBackup.Repository.Anomalies;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>Where a process finds its configuration and secrets.</summary>
/// <param name="ConfigurationFile">As the user named it: <c>./backup_config.yaml</c>.</param>
/// <param name="Environment">The variables that override settings and hold secrets.</param>
public sealed record SiteOptions(string ConfigurationFile, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The variable that names the configuration file.</summary>
    public const string FileVariable = "FBACKUP_CONFIG";

    private static readonly Action<string> Nobody = static _ => { };

    public const string DefaultFile = "./backup_config.yaml";

    /// <summary>Open the repository with the recovery key in this file instead of what the configuration names.</summary>
    public string? RecoveryKeyFile { get; init; }

    /// <summary>Told of what is unwise, one sentence each.</summary>
    public Action<string> Warn { get; init; } = Nobody;

    /// <summary>Whether what is unwise is told to nobody.</summary>
    public bool TellsNobody => Warn == Nobody;

    /// <summary>Where this machine keeps what is its own; null: <see cref="Site.StateFolder.FindOrTemporary"/>.</summary>
    public string? StateFolder { get; init; }

    /// <summary>True for a command, which writes its audit entries to the repository when it ends: nothing does meanwhile.</summary>
    public bool DeferAudit { get; init; }

    /// <summary>Told of a recovery point that was found suspicious: for alerts.</summary>
    public Action<AnomalyRecord> OnSuspicious { get; init; } = static _ => { };

    /// <summary>How long the repository stays open, and its keys in memory, while nobody works with it.</summary>
    public TimeSpan CloseAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The file that was named, else that of <see cref="FileVariable"/>, else the default.</summary>
    public static string FindFile(string? named, IReadOnlyDictionary<string, string> environment) =>
        named ?? (environment.TryGetValue(FileVariable, out var file) && file.Length > 0 ? file : DefaultFile);
}
