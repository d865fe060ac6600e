using System.Text.Json.Serialization;

namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>How an orchestration, or its work on one component, ended. In JSON as lower-case words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RunOutcome>))]
public enum RunOutcome
{
    /// <summary>All that was asked was done.</summary>
    [JsonStringEnumMemberName("complete")]
    Complete,

    /// <summary>Some components were done, others failed.</summary>
    [JsonStringEnumMemberName("partial")]
    Partial,

    /// <summary>Nothing that was asked was done.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>It was cancelled.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    /// <summary>Another instance is doing the same: see <c>SupersededBy</c>.</summary>
    [JsonStringEnumMemberName("superseded")]
    Superseded,
}

/// <summary>What kind of trouble a failure is: what the exit code and the HTTP status follow from. In JSON as lower-case words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FailureKind>))]
public enum FailureKind
{
    /// <summary>Anything else (exit code 1).</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>The configuration, the request or a key is wrong (exit code 2): trying again changes nothing.</summary>
    [JsonStringEnumMemberName("configuration")]
    Configuration,

    /// <summary>No such repository, recovery point or WAL segment (exit code 4).</summary>
    [JsonStringEnumMemberName("not_found")]
    NotFound,

    /// <summary>The repository is damaged (exit code 5).</summary>
    [JsonStringEnumMemberName("damage")]
    Damage,

    /// <summary>It was broken off (exit code 130).</summary>
    [JsonStringEnumMemberName("interrupted")]
    Interrupted,
}

/// <summary>Why something failed, as data: an activity returns it where trying again is of no use.</summary>
/// <param name="Kind">What kind of trouble.</param>
/// <param name="Sentence">One sentence on what is wrong, with the mend. Never holds a secret.</param>
public sealed record Failure(FailureKind Kind, string Sentence);
