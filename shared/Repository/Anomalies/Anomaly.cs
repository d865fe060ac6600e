using System.Text.Json.Serialization;

namespace FunctionsBackup.Repository.Anomalies;

/// <summary>What about a backup is unusual.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AnomalyKind>))]
public enum AnomalyKind
{
    /// <summary>Far more bytes are new than usual.</summary>
    ChangedBytes,

    /// <summary>Hardly anything of it was in the repository, where most usually is.</summary>
    Deduplication,

    /// <summary>What is new cannot be compressed, where it usually can: as after encryption.</summary>
    Compressibility,

    /// <summary>Many files are gone.</summary>
    MassDeletion,

    /// <summary>Many bytes are gone, or all.</summary>
    Shrunk,
}

/// <summary>One reason why a backup is suspicious.</summary>
/// <param name="Kind">What is unusual.</param>
/// <param name="Sentence">The same for people, with figures.</param>
/// <param name="Value">What was measured: bytes, or a share from 0 to 1.</param>
/// <param name="Usual">The median, or what it was before.</param>
public sealed record Anomaly(AnomalyKind Kind, string Sentence, double Value, double Usual);
