using FunctionsBackup.Components.Redis.Protocol;

namespace FunctionsBackup.Components.Redis.Journal;

/// <summary>What to follow.</summary>
/// <param name="Address">The server.</param>
public sealed record RedisFollowerOptions(RedisAddress Address)
{
    /// <summary>Name in the configuration.</summary>
    public string Component { get; init; } = "redis";

    /// <summary>Received bytes are in the repository after this time at the latest; up to a minute.</summary>
    public TimeSpan SealInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A server that says nothing for so long is taken for lost: it greets its replicas every ten seconds.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan MinimumBackoff { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan MaximumBackoff { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>How it goes.</summary>
public sealed record RedisFollowerStatus
{
    public bool IsStreaming { get; init; }

    /// <summary>Of the stream; null: not known yet.</summary>
    public string? ReplicationId { get; init; }

    /// <summary>Bytes of the stream that have come.</summary>
    public long Received { get; init; }

    /// <summary>Bytes of the stream that are in the repository.</summary>
    public long Sealed { get; init; }

    /// <summary>Null: nothing yet.</summary>
    public DateTimeOffset? SealedAt { get; init; }

    /// <summary>How often the stream could not go on where the journal ended: each needs a new snapshot.</summary>
    public int Gaps { get; init; }

    public int Failures { get; init; }

    /// <summary>One sentence; null: none.</summary>
    public string? LastProblem { get; init; }
}
