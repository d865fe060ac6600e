using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Operations.Objectives;
using FunctionsBackup.Operations.Scheduling;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>A checked configuration. Secrets are references here; <see cref="SecretResolver"/> fetches one when it is needed.</summary>
public sealed class BackupConfiguration
{
    private readonly IReadOnlyDictionary<string, EffectiveSetting> _values;

    internal BackupConfiguration(string file, string folder, IReadOnlyDictionary<string, EffectiveSetting> values)
    {
        (File, Folder, _values) = (file, folder, values);
        Global = new GlobalSettings(Text("global.storage_backend")!, Value("global.encryption") is true,
            Get<CompressionSetting>("global.compression")!, (int)Value("global.parallel_jobs")!)
        {
            TimeZone = Get<TimeZoneInfo>("global.time_zone")!,
        };
        Storage = StorageSettings.From(Value);
        Anomalies = AnomalySettings.From(Value);
        Keys = new KeySettings(Get<SecretReference>("keys.passphrase"), Get<SecretReference>("keys.recovery_key"))
        {
            KeyVault = Text("keys.keyvault"),
            KeyVaultIdentity = Text("keys.keyvault_identity"),
            Kms = Text("keys.kms"),
            KmsEndpoint = Text("keys.kms_endpoint"),
            Writer = Get<SecretReference>("keys.writer"),
        };
        Postgres = Get<SecretReference>("components.postgres.connection") is { } connection
            ? new PostgresSettings(
                connection, Text("components.postgres.data_directory"), Text("components.postgres.mode")!,
                Value("components.postgres.fast_checkpoint") is true, Text("components.postgres.wal_slot")!,
                Text("components.postgres.spool_directory"))
            {
                Databases = Value("components.postgres.databases") as IReadOnlyList<string> ?? [],
            }
            : null;
        Redis = Get<SecretReference>("components.redis.connection") is { } redis ? new RedisSettings(redis, Text("components.redis.mode")!) : null;
        LiveKit = Get<SecretReference>("components.livekit.api_secret") is { } secret
            ? new LiveKitSettings(Text("components.livekit.url")!, Get<SecretReference>("components.livekit.api_key")!, secret)
            : null;
        RestoreTests = new RestoreTestSettings(
            new Schedule(Get<CronSchedule>("restore_tests.schedule")!, Global.TimeZone), (int)Value("restore_tests.sample")!);
        Objectives = new RecoveryObjectives(Objective("database"), Objective("cache"), Objective("voice_data"), Objective("full_system"));

        RecoveryObjective Objective(string name) =>
            new((TimeSpan)Value($"objectives.{name}.rto")!, (TimeSpan)Value($"objectives.{name}.rpo")!);
    }

    /// <summary>The file as the user named it.</summary>
    public string File { get; }

    /// <summary>Absolute folder of the file, where relative paths start.</summary>
    public string Folder { get; }

    public GlobalSettings Global { get; }

    public StorageSettings Storage { get; }

    public AnomalySettings Anomalies { get; }

    public KeySettings Keys { get; }

    /// <summary>Null: not configured.</summary>
    public PostgresSettings? Postgres { get; }

    /// <summary>Null: not configured.</summary>
    public RedisSettings? Redis { get; }

    /// <summary>Null: not configured.</summary>
    public LiveKitSettings? LiveKit { get; }

    public RestoreTestSettings RestoreTests { get; }

    public RecoveryObjectives Objectives { get; }

    /// <summary>Copies of the repository elsewhere, in the order in which reads fall back to them.</summary>
    public IReadOnlyList<ReplicaSettings> Replicas => Get<IReadOnlyList<ReplicaSettings>>("replication.replicas") ?? [];

    /// <summary>Buckets and containers with data.</summary>
    public IReadOnlyList<ReplicaSettings> Buckets => Get<IReadOnlyList<ReplicaSettings>>("buckets") ?? [];

    /// <summary>The longest time that a replica may be behind.</summary>
    public TimeSpan MaximumLag => (TimeSpan)Value("replication.max_lag")!;

    /// <summary>Every setting, in the order of the table.</summary>
    public IEnumerable<EffectiveSetting> Effective => Settings.All.Select(s => _values[s.Path]);

    /// <summary>The components that are configured, in the order of <see cref="Settings.Components"/>.</summary>
    public IEnumerable<string> ConfiguredComponents => Settings.Components.Where(c => IsSet($"components.{c}."));

    /// <summary>What is worth a word though it is no error: one sentence each.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            foreach (var value in Effective.Where(v => v.Setting.Kind == SettingKind.Reserved && v.Value is not null))
                yield return $"{value.Source}: '{value.Setting.Path}' is accepted but not used by this version.";
            foreach (var component in Settings.Components.Where(c => IsSet($"policies.{c}.") && !IsSet($"components.{c}.")))
                yield return $"{File}: there is a policy for {component}, but components.{component} says not where it is: it is not protected.";
            if (!Global.Encryption)
                yield return $"{File}: encryption is off: whoever can read the repository can read everything in it.";
            else if (Keys.IsEmpty)
                yield return $"{File}: no key is configured, so the repository cannot be opened; set keys.passphrase to env:NAME or file:PATH, "
                    + "keys.keyvault or keys.kms.";
            foreach (var unknown in Anomalies.Ignore.Except(Settings.Components))
                yield return $"{File}: anomalies.ignore names '{unknown}', which is no component.";
            foreach (var note in Storage.Notes(Global.StorageBackend)) yield return $"{File}: {note}";
        }
    }

    /// <summary>Where configuration comes from besides files.</summary>
    public ConfigurationSourceSettings ConfigurationSources => ConfigurationSourceSettings.From(Value);

    /// <summary>A component of files: <c>voice_data</c>, <c>logs</c> or <c>configuration</c>; null: not configured.</summary>
    public FilesSettings? Files(string component) =>
        Get<IReadOnlyList<string>>($"components.{component}.paths") is var paths
        && Get<IReadOnlyList<string>>($"components.{component}.buckets") is var buckets
        && ((paths ?? buckets) is not null || (component == "configuration" && !ConfigurationSources.IsEmpty))
            ? new FilesSettings(
                paths ?? [], Get<IReadOnlyList<string>>($"components.{component}.include") ?? [],
                Get<IReadOnlyList<string>>($"components.{component}.exclude") ?? [])
            {
                Buckets = buckets ?? [],
                AppendOnly = Value($"components.{component}.append_only") is true,
                Subjects = Get<IReadOnlyList<string>>($"components.{component}.subjects") ?? [],
            }
            : null;

    /// <summary>What the policies say is to be taken when, in the order of the table.</summary>
    public IEnumerable<PolicySchedule> Schedules
    {
        get
        {
            foreach (var value in Effective)
                if (value is { Value: CronSchedule expression } && value.Setting.Path.Split('.') is ["policies", var component, "schedule", var kind])
                    yield return new PolicySchedule(component, kind, new Schedule(expression, Global.TimeZone));
        }
    }

    /// <summary>How long recovery points of a component are kept.</summary>
    public RetentionSettings Retention(string component)
    {
        return new RetentionSettings
        {
            FullBackups = Count("full_backups"),
            Snapshots = Count("snapshots"),
            Recordings = Count("recordings"),
            KeepWithin = Value($"policies.{component}.retention.keep_within") as TimeSpan?,
            Hourly = Count("hourly"),
            Daily = Count("daily"),
            Weekly = Count("weekly"),
            Monthly = Count("monthly"),
            Yearly = Count("yearly"),
        };

        int? Count(string name) => Value($"policies.{component}.retention.{name}") as int?;
    }

    private bool IsSet(string prefix) =>
        _values.Values.Any(v => !v.IsDefault && v.Setting.Path.StartsWith(prefix, StringComparison.Ordinal));

    private object? Value(string path) => _values.GetValueOrDefault(path)?.Value;

    private T? Get<T>(string path) where T : class => Value(path) as T;

    private string? Text(string path) => Get<string>(path);
}

public sealed record GlobalSettings(string StorageBackend, bool Encryption, CompressionSetting Compression, int ParallelJobs)
{
    /// <summary>Of all schedules.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;
}

/// <summary>What opens the repository.</summary>
public sealed record KeySettings(SecretReference? Passphrase, SecretReference? RecoveryKey)
{
    /// <summary>Address of a key of Azure Key Vault.</summary>
    public string? KeyVault { get; init; }

    /// <summary>Client id of the managed identity that may use it.</summary>
    public string? KeyVaultIdentity { get; init; }

    /// <summary>ARN of a key of AWS KMS.</summary>
    public string? Kms { get; init; }

    /// <summary>Null: the region's own.</summary>
    public string? KmsEndpoint { get; init; }

    /// <summary>The writer file of a host that only writes; then nothing else is set.</summary>
    public SecretReference? Writer { get; init; }

    public bool IsEmpty => Passphrase is null && RecoveryKey is null && KeyVault is null && Kms is null && Writer is null;
}

/// <param name="Schedule">When they are started, in the zone of the configuration.</param>
/// <param name="Sample">How many recovery points of each component.</param>
public sealed record RestoreTestSettings(Schedule Schedule, int Sample);

/// <param name="Connection">The connection string, by reference.</param>
/// <param name="DataDirectory">Absolute; null: not beside the server.</param>
/// <param name="Mode"><c>auto</c>, <c>direct</c>, <c>replication</c> or <c>logical</c>.</param>
/// <param name="FastCheckpoint">Checkpoint at once.</param>
/// <param name="WalSlot">Slot of <c>wal receive</c>.</param>
/// <param name="SpoolDirectory">Absolute; null: in the user's state folder.</param>
public sealed record PostgresSettings(
    SecretReference Connection, string? DataDirectory, string Mode, bool FastCheckpoint, string WalSlot, string? SpoolDirectory)
{
    /// <summary>Of logical backups: names; empty: all.</summary>
    public IReadOnlyList<string> Databases { get; init; } = [];
}

/// <param name="Connection">The URI, by reference.</param>
/// <param name="Mode"><c>auto</c>, <c>psync</c> or <c>scan</c>.</param>
public sealed record RedisSettings(SecretReference Connection, string Mode);

/// <param name="Url">Of the server.</param>
/// <param name="ApiKey">Where the key is.</param>
/// <param name="ApiSecret">Where the secret is.</param>
public sealed record LiveKitSettings(string Url, SecretReference ApiKey, SecretReference ApiSecret);

/// <param name="Paths">Absolute.</param>
/// <param name="Include">Patterns; empty: all.</param>
/// <param name="Exclude">Patterns.</param>
public sealed record FilesSettings(IReadOnlyList<string> Paths, IReadOnlyList<string> Include, IReadOnlyList<string> Exclude)
{
    /// <summary>Names of buckets, instead of paths.</summary>
    public IReadOnlyList<string> Buckets { get; init; } = [];

    /// <summary>Files are only added to, and rotated by renaming.</summary>
    public bool AppendOnly { get; init; }

    /// <summary>Paths with <c>{subject}</c> in them: whose data a file holds.</summary>
    public IReadOnlyList<string> Subjects { get; init; } = [];
}

/// <summary>What to keep; null: that rule is not used. A recovery point stays while one rule wants it.</summary>
public sealed record RetentionSettings
{
    /// <summary>The newest so many full recovery points, and what is newer than the oldest of them.</summary>
    public int? FullBackups { get; init; }

    /// <summary>The newest so many.</summary>
    public int? Snapshots { get; init; }

    /// <summary>Those of the last so many days.</summary>
    public int? Recordings { get; init; }

    public TimeSpan? KeepWithin { get; init; }

    public int? Hourly { get; init; }

    public int? Daily { get; init; }

    public int? Weekly { get; init; }

    public int? Monthly { get; init; }

    public int? Yearly { get; init; }

    /// <summary>No rule at all: nothing is ever removed.</summary>
    public bool IsEmpty => this == new RetentionSettings();
}
