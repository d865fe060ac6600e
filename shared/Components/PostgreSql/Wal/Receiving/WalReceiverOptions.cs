namespace FunctionsBackup.Components.PostgreSql.Wal.Receiving;

/// <summary>How <see cref="WalReceiver"/> follows a server.</summary>
/// <param name="ConnectionString">
/// Npgsql form or <c>postgresql://</c> URI, of a user with REPLICATION. May hold a secret: never logged.
/// </param>
public sealed record WalReceiverOptions(string ConnectionString)
{
    /// <summary>The physical slot that keeps WAL on the server until it is archived: lower-case letters, digits, underscores.</summary>
    public string SlotName { get; init; } = "fbackup";

    /// <summary>Create the slot if it is not there.</summary>
    public bool CreateSlot { get; init; } = true;

    /// <summary>Received bytes are archived at least this often: what the loss of the server can cost.</summary>
    public TimeSpan SealInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Waits between attempts to reach the server: from, doubling to.</summary>
    public TimeSpan MinimumBackoff { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan MaximumBackoff { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>How a receiver stands.</summary>
public sealed record WalReceiverStatus
{
    public bool IsStreaming { get; init; }

    public uint Timeline { get; init; }

    /// <summary>End of what came from the server.</summary>
    public Lsn Received { get; init; }

    /// <summary>End of what is durable in the archive, and was reported to the server as flushed.</summary>
    public Lsn Archived { get; init; }

    /// <summary>End of the server's WAL, as it last said.</summary>
    public Lsn ServerEnd { get; init; }

    /// <summary>When the archive last took something.</summary>
    public DateTimeOffset? ArchivedAt { get; init; }

    /// <summary>Connections that were lost or could not be made.</summary>
    public int Failures { get; init; }

    /// <summary>The last such failure, or WAL that the server had no more; null if there was none.</summary>
    public string? LastProblem { get; init; }

    /// <summary>Bytes that the loss of the server would cost now.</summary>
    public ulong LagBytes => ServerEnd > Archived ? ServerEnd.Value - Archived.Value : 0;
}
