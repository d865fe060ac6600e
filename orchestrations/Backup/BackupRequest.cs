namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Input of <c>BackupOrchestrator</c>. <c>BackupStarter</c> fills in the components.</summary>
public sealed record BackupRequest
{
    /// <summary>Names from the configuration: <c>postgres</c>, <c>voice_data</c>, <c>logs</c>, <c>configuration</c>. Empty: all configured.</summary>
    public IReadOnlyList<string> Components { get; init; } = [];

    /// <summary>Read everything, whatever earlier recovery points hold.</summary>
    public bool Full { get; init; }

    /// <summary>The policy that made it due (<c>postgres</c>); null: on demand.</summary>
    public string? Policy { get; init; }

    /// <summary>The kind in the policy's schedule: <c>full</c>, <c>incremental</c> or <c>snapshot</c>; null: on demand.</summary>
    public string? Kind { get; init; }

    /// <summary>When the policy made it due; null: on demand.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>How the new recovery points are verified: <c>none</c>, <c>quick</c>, <c>sample:N</c> (percent) or <c>full</c>.</summary>
    public string Verify { get; init; } = "quick";

    /// <summary>Start retention afterwards, once a day.</summary>
    public bool Retention { get; init; }

    /// <summary>Who asked, for the record: <c>schedule</c>, <c>cli</c>, the name behind an API key.</summary>
    public string? RequestedBy { get; init; }
}
