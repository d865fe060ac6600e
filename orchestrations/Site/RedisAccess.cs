using FunctionsBackup.Components.Redis;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>The Redis server of a site.</summary>
public static class RedisAccess
{
    /// <exception cref="ConfigurationException">It is not configured, or its connection is not there.</exception>
    /// <exception cref="FormatException">The connection is none.</exception>
    public static RedisAddress Connect(BackupSite site) => RedisAddress.Parse(site.Secrets.Resolve(Settings(site).Connection, "components.redis.connection"));

    /// <summary>The server that a restore names: the configured one, or a reference to the connection of another.</summary>
    /// <exception cref="ConfigurationException">It is not there.</exception>
    /// <exception cref="FormatException">It is none.</exception>
    public static RedisAddress Connect(BackupSite site, SecretReference? another) =>
        another is null ? Connect(site) : RedisAddress.Parse(site.Secrets.Resolve(another, "the target"));

    public static RedisBackupMode Mode(BackupSite site) => Settings(site).Mode switch
    {
        "psync" => RedisBackupMode.Psync,
        "scan" => RedisBackupMode.Scan,
        _ => RedisBackupMode.Auto,
    };

    private static RedisSettings Settings(BackupSite site) => site.Configuration.Redis
        ?? throw new ConfigurationException($"redis is not configured; add components.redis to {site.Configuration.File}.");
}
