namespace FunctionsBackup.Operations.Configuration;

/// <summary>The table of all settings: the one place where a setting is declared.</summary>
public static class Settings
{
    /// <summary>The file's one top-level key.</summary>
    public const string Root = "backup_config";

    /// <summary>The components that can be protected, by their names in the configuration.</summary>
    public static IReadOnlyList<string> Components { get; } = ["postgres", "redis", "voice_data", "logs", "configuration", "livekit"];

    public static IReadOnlyList<Setting> All { get; } =
    [
        new("global.storage_backend", SettingKind.Word, "filesystem",
            "Where the repository is kept.") { Words = ["filesystem", "s3", "azure_blob"] },
        new("global.encryption", SettingKind.Boolean, "true", "Whether a new repository is encrypted; it stays as it was created."),
        new("global.compression", SettingKind.Compression, "zstd",
            "true (zstd), zstd, lz4, gzip or none; with a level as zstd:6 or { algorithm: zstd, level: 6 }."),
        new("global.parallel_jobs", SettingKind.Integer, "2",
            "Workers that read, compress and encrypt, and requests in flight.") { Minimum = 1, Maximum = 64 },
        new("global.time_zone", SettingKind.TimeZone, "UTC", "The time zone of all schedules, by its IANA name, as in Europe/Berlin."),

        .. StorageTable.All,

        new("keys.passphrase", SettingKind.Secret, null, "The passphrase that opens the repository."),
        new("keys.keyvault", SettingKind.Url, null,
            "A key of Azure Key Vault that opens the repository: https://VAULT/keys/NAME, with /VERSION to wrap with that one."),
        new("keys.keyvault_identity", SettingKind.Text, null, "Client id of a user-assigned managed identity that may use the Key Vault key."),
        new("keys.kms", SettingKind.Text, null, "ARN of a key, or of an alias, of AWS KMS that opens the repository."),
        new("keys.kms_endpoint", SettingKind.Url, null, "Address of KMS, where it is not the region's own (a VPC endpoint)."),
        new("keys.writer", SettingKind.Secret, null,
            "The writer file of a host that only writes, usually file:PATH: it adds recovery points and reads none. Stands alone."),
        new("keys.recovery_key", SettingKind.Secret, null,
            "The recovery key, used where no passphrase is set; usually file:PATH, for the worst day only."),

        new("components.postgres.connection", SettingKind.Secret, null,
            "PostgreSQL connection: Host=…;Username=…;Database=… or a postgresql:// URI.") { Required = true },
        new("components.postgres.data_directory", SettingKind.Path, null, "The data directory, when this runs beside the server."),
        new("components.postgres.mode", SettingKind.Word, "auto",
            "How the database is read: beside the server (direct), over the network (replication), through SQL (logical), or what fits.")
        {
            Words = ["auto", "direct", "replication", "logical"],
        },
        new("components.postgres.databases", SettingKind.Globs, null, "Logical backups: names of databases; default: all that the user may connect to."),
        new("components.postgres.fast_checkpoint", SettingKind.Boolean, "true",
            "Checkpoint at once when a backup begins, instead of spread out."),
        new("components.postgres.wal_slot", SettingKind.Text, "fbackup", "Replication slot of 'wal receive'."),
        new("components.postgres.spool_directory", SettingKind.Path, null,
            "Where 'wal push' and 'wal fetch' note what they did ahead; default: in the user's state folder."),
        new("components.redis.connection", SettingKind.Secret, null,
            "Redis or Valkey connection: redis://USER:PASSWORD@HOST:PORT, or rediss:// for TLS, with ?ca_file=PATH if need be.") { Required = true },
        new("components.redis.mode", SettingKind.Word, "auto",
            "How the server is read: as a replica, all as of one moment (psync), key by key (scan), or what the server allows.")
        {
            Words = ["auto", "psync", "scan"],
        },
        .. Files("voice_data", "Recordings and transcripts"),
        .. Files("logs", "Log files"),
        new("components.logs.append_only", SettingKind.Boolean, "true",
            "Logs are only added to and rotated by renaming: what was renamed or grew is recognised and not read again."),
        .. Files("configuration", "Configuration files"),
        .. ConfigurationSourceTable.All,
        new("components.livekit.url", SettingKind.Url, null, "Address of the LiveKit server.") { Required = true },
        new("components.livekit.api_key", SettingKind.Secret, null, "LiveKit API key.") { Required = true },
        new("components.livekit.api_secret", SettingKind.Secret, null, "LiveKit API secret.") { Required = true },

        .. Components.SelectMany(Policy),

        .. Objective("database", "PostgreSQL", "1h", "15m"),
        .. Objective("cache", "Redis", "30m", "2h"),
        .. Objective("voice_data", "Recordings and transcripts", "1h30m", "6h"),
        .. Objective("full_system", "Everything together", "3h", "30m"),

        new("restore_tests.schedule", SettingKind.Cron, "0 7 * * 0",
            "When recovery points are restored into a scratch folder and proven, cron with 5 fields or 6 with seconds first, in global.time_zone."),
        new("restore_tests.sample", SettingKind.Integer, "1", "How many recovery points of each component: the newest, and others at random.")
        {
            Minimum = 1, Maximum = 100,
        },

        .. AnomalyTable.All,

        new("buckets", SettingKind.Buckets, null,
            "Buckets and containers with data to protect, or to restore to: a list of groups with name, storage_backend and the keys of storage."),
        new("replication.replicas", SettingKind.Replicas, null,
            "Copies of the repository elsewhere: a list of groups with name, storage_backend and the keys of storage."),
        new("replication.max_lag", SettingKind.Duration, "6h", "The longest time that a replica may be behind before status says so."),
        new("notifications", SettingKind.Reserved, null, "Who is told of failures."),
        new("recovery", SettingKind.Reserved, null, "Disaster recovery plans."),
    ];

    private static IEnumerable<Setting> Files(string component, string what) =>
    [
        new($"components.{component}.paths", SettingKind.Paths, null, $"{what}: the directories or files to protect."),
        new($"components.{component}.buckets", SettingKind.Globs, null, $"{what} that lie in buckets instead: their names under buckets."),
        new($"components.{component}.include", SettingKind.Globs, null, "Only files that match one of these patterns."),
        new($"components.{component}.exclude", SettingKind.Globs, null, "Files and directories to leave out."),
        new($"components.{component}.subjects", SettingKind.Subjects, null,
            "Whose data a file holds, as in [\"calls/{subject}/**\"]: files of each data subject can be erased for themselves."),
    ];

    private static IEnumerable<Setting> Policy(string component)
    {
        var path = $"policies.{component}";
        // What a component calls its recovery points: the words of its schedule and of its retention.
        var (schedules, counted) = component switch
        {
            "postgres" => (new[] { "full_backup", "incremental" }, new[] { "full_backups" }),
            "redis" or "livekit" => (["snapshot"], ["snapshots"]),
            "voice_data" => (["full_backup", "incremental"], ["recordings", "full_backups", "snapshots"]),
            _ => (["full_backup", "incremental", "snapshot"], ["snapshots", "full_backups"]),
        };
        foreach (var kind in schedules)
            yield return new Setting($"{path}.schedule.{kind}", SettingKind.Cron, null,
                $"When a {kind} is taken, cron with 5 fields or 6 with seconds first, in global.time_zone.");
        foreach (var name in counted)
        {
            yield return Count(name, name switch
            {
                "full_backups" => "Keep so many full recovery points, the newest, and what is newer than the oldest of them.",
                "recordings" => "Keep the recovery points of so many days.",
                _ => "Keep so many recovery points, the newest.",
            });
        }

        yield return new Setting(
            $"{path}.retention.keep_within", SettingKind.Duration, null, "Keep every recovery point younger than this.");
        foreach (var period in new[] { "hourly", "daily", "weekly", "monthly", "yearly" })
            yield return Count(period, $"Keep the newest recovery point of each of this many {period} periods.");

        Setting Count(string name, string documentation) =>
            new($"{path}.retention.{name}", SettingKind.Integer, null, documentation) { Minimum = 1, Maximum = 100_000 };
    }

    private static IEnumerable<Setting> Objective(string name, string what, string rto, string rpo) =>
    [
        new($"objectives.{name}.rto", SettingKind.Duration, rto, $"{what}: the longest acceptable time until it runs again."),
        new($"objectives.{name}.rpo", SettingKind.Duration, rpo, $"{what}: the longest acceptable loss, as a time."),
    ];
}
