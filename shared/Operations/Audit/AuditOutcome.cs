using System.Text.Json.Serialization;

namespace FunctionsBackup.Operations.Audit;

/// <summary>How it ended, or that it began.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AuditOutcome>))]
public enum AuditOutcome
{
    /// <summary>It began. Without an entry of its end it was killed, or is still at it.</summary>
    [JsonStringEnumMemberName("started")]
    Started,

    /// <summary>A request was taken on: an instance does the work, and has entries of its own.</summary>
    [JsonStringEnumMemberName("accepted")]
    Accepted,

    [JsonStringEnumMemberName("done")]
    Done,

    /// <summary>Done, and somebody should look.</summary>
    [JsonStringEnumMemberName("warnings")]
    Warnings,

    [JsonStringEnumMemberName("failed")]
    Failed,

    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    /// <summary>Who asked may, but it made no sense or could not be.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused,

    /// <summary>Who asked may not.</summary>
    [JsonStringEnumMemberName("denied")]
    Denied,
}

/// <summary>Outcomes from what there is.</summary>
public static class AuditOutcomes
{
    /// <summary>Of an exit code of <c>fbackup</c>.</summary>
    public static AuditOutcome OfExitCode(int code) => code switch
    {
        0 => AuditOutcome.Done,
        3 => AuditOutcome.Warnings,
        2 or 4 or 6 => AuditOutcome.Refused,
        130 => AuditOutcome.Cancelled,
        _ => AuditOutcome.Failed,
    };
}
