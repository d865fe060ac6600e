using System.Text.Json;
using System.Text.Json.Serialization;

namespace FunctionsBackup.Repository.Anomalies;

/// <summary>That a recovery point is suspicious, and why: written once, when it was taken.</summary>
/// <param name="SnapshotId">The recovery point.</param>
/// <param name="At">When it was found.</param>
/// <param name="Host">Where.</param>
/// <param name="Anomalies">At least one reason.</param>
public sealed record AnomalyRecord(string SnapshotId, DateTimeOffset At, string Host, IReadOnlyList<Anomaly> Anomalies);

/// <summary>What a person said about a suspicious recovery point.</summary>
/// <param name="SnapshotId">The recovery point.</param>
/// <param name="Accepted">It is what was meant; false: it is damage, and so is everything taken from then until this decision.</param>
/// <param name="By">Who decided.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
public sealed record AnomalyDecision(string SnapshotId, bool Accepted, string By, string Reason, DateTimeOffset At);

/// <summary>A suspicious recovery point and what was decided, if anything.</summary>
/// <param name="SnapshotId">The recovery point.</param>
/// <param name="Record">Null: it cannot be read; it counts all the same.</param>
/// <param name="Decision">The last one; null: nobody has decided.</param>
public sealed record Suspicion(string SnapshotId, AnomalyRecord? Record, AnomalyDecision? Decision)
{
    public bool IsOpen => Decision is null;

    public bool IsAccepted => Decision is { Accepted: true };

    /// <summary>The reasons, one sentence each.</summary>
    public IReadOnlyList<string> Reasons => Record is null ? ["The record of what is unusual about it cannot be read."]
        : [.. Record.Anomalies.Select(a => a.Sentence)];
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AnomalyRecord))]
[JsonSerializable(typeof(AnomalyDecision))]
internal sealed partial class AnomalyJson : JsonSerializerContext;
