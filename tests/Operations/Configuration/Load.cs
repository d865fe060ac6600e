using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Tests.Operations.Configuration;

/// <summary>Loads texts as if they were <c>/etc/site/backup_config.yaml</c>.</summary>
internal static class Load
{
    public const string Folder = "/etc/site";

    public static BackupConfiguration Text(string yaml, params (string Name, string Value)[] environment) =>
        ConfigurationLoader.Parse(yaml, "backup_config.yaml", Folder, environment.ToDictionary(e => e.Name, e => e.Value));

    public static ConfigurationException Refused(string yaml, params (string Name, string Value)[] environment) =>
        Should.Throw<ConfigurationException>(() => Text(yaml, environment));

    /// <summary>The value as shown and its source.</summary>
    public static (string Value, string Source) Effective(this BackupConfiguration configuration, string path)
    {
        var effective = configuration.Effective.Single(e => e.Setting.Path == path);
        return (effective.Display, effective.Source);
    }
}
