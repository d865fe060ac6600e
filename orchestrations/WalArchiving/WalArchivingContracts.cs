using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.WalArchiving;

/// <summary>Input of <c>WalArchivingOrchestrator</c>, which goes on for ever: instance <c>wal-postgres</c>.</summary>
public sealed record WalArchivingRequest
{
    public string Component { get; init; } = "postgres";

    /// <summary>How long one pass receives before the orchestration looks around, seconds.</summary>
    public double PassSeconds { get; init; } = 60;

    /// <summary>The longest wait after failures, seconds.</summary>
    public double MaximumBackoffSeconds { get; init; } = 300;

    /// <summary>Passes that failed, one after the other, up to now.</summary>
    public int Failures { get; init; }

    /// <summary>The last pass, carried over when the history begins anew.</summary>
    public WalArchivingStatus? Last { get; init; }
}

/// <summary>Custom status of <c>WalArchivingOrchestrator</c>, and output of each pass.</summary>
public sealed record WalArchivingStatus
{
    /// <summary><c>archiving</c>, or <c>cancelling</c>.</summary>
    public string Phase { get; init; } = "archiving";

    public string? SystemIdentifier { get; init; }

    public long Timeline { get; init; }

    /// <summary>End of what is durable in the archive: <c>16/B374D848</c>.</summary>
    public string? ArchivedLsn { get; init; }

    /// <summary>End of the server's WAL, as it last said.</summary>
    public string? ServerLsn { get; init; }

    /// <summary>Bytes that the loss of the server would cost now.</summary>
    public long LagBytes { get; init; }

    /// <summary>
    /// The actual RPO, seconds: since when there is WAL on the server that the archive has not; 0 if it has all. Null: not known.
    /// </summary>
    public double? ActualRpoSeconds { get; init; }

    /// <summary>When this was measured.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Since when there is WAL on the server that the archive has not; null if it has all.</summary>
    public DateTimeOffset? UnarchivedSince { get; init; }

    /// <summary>Passes that failed, one after the other.</summary>
    public int Failures { get; init; }

    /// <summary>What went wrong last; null if nothing.</summary>
    public Failure? Problem { get; init; }
}
