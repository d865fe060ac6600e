namespace FunctionsBackup.Operations.Configuration;

/// <summary>What a setting may hold, and the type of its value in memory.</summary>
public enum SettingKind
{
    /// <summary><c>true</c> or <c>false</c>: <see cref="bool"/>.</summary>
    Boolean,

    /// <summary>A whole number within <see cref="Setting.Minimum"/>…<see cref="Setting.Maximum"/>: <see cref="int"/>.</summary>
    Integer,

    /// <summary>One of <see cref="Setting.Words"/>: <see cref="string"/>.</summary>
    Word,

    /// <summary>Free text without control characters: <see cref="string"/>.</summary>
    Text,

    /// <summary>An http or https address without user name or password: <see cref="string"/>.</summary>
    Url,

    /// <summary>A path, relative to the folder of the file: <see cref="string"/>, absolute.</summary>
    Path,

    /// <summary>Several of them, at least one: <c>IReadOnlyList&lt;string&gt;</c>.</summary>
    Paths,

    /// <summary>Patterns: <c>IReadOnlyList&lt;string&gt;</c>.</summary>
    Globs,

    /// <summary>Paths with <c>{subject}</c> in them: <c>IReadOnlyList&lt;string&gt;</c>.</summary>
    Subjects,

    /// <summary>Places with data: <c>IReadOnlyList&lt;ReplicaSettings&gt;</c>.</summary>
    Buckets,

    /// <summary>A reference to a secret: <see cref="Values.SecretReference"/>.</summary>
    Secret,

    /// <summary>A schedule: <see cref="Values.CronSchedule"/>.</summary>
    Cron,

    /// <summary>A length of time: <see cref="TimeSpan"/>.</summary>
    Duration,

    /// <summary>The IANA name of a time zone: <see cref="TimeZoneInfo"/>.</summary>
    TimeZone,

    /// <summary>An algorithm and a level: <see cref="Values.CompressionSetting"/>.</summary>
    Compression,

    /// <summary>Copies of the repository: <c>IReadOnlyList&lt;ReplicaSettings&gt;</c>.</summary>
    Replicas,

    /// <summary>A block that a later version will use: any mapping, not looked into.</summary>
    Reserved,
}

/// <summary>One setting, declared: the loader, <c>config show</c> and the reference page all come from the table of these.</summary>
/// <param name="Path">Keys from <c>backup_config</c> on, joined by dots: <c>global.parallel_jobs</c>.</param>
/// <param name="Kind">What it may hold.</param>
/// <param name="Default">The default as it would be written in the file; null: not set.</param>
/// <param name="Documentation">One sentence.</param>
public sealed record Setting(string Path, SettingKind Kind, string? Default, string Documentation)
{
    public int Minimum { get; init; }

    public int Maximum { get; init; } = int.MaxValue;

    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Must be set when anything else in its group is.</summary>
    public bool Required { get; init; }

    public string Group => Path.LastIndexOf('.') is > 0 and var dot ? Path[..dot] : "";

    public string Name => Path[(Path.LastIndexOf('.') + 1)..];

    /// <summary>The environment variable that overrides it.</summary>
    public string EnvironmentVariable => EnvironmentOverrides.Prefix + Path.ToUpperInvariant().Replace(".", "__");
}
