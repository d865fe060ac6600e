namespace FunctionsBackup.Operations.Objectives;

/// <summary>What the business accepts.</summary>
/// <param name="Rto">Recovery time objective: the longest time until it runs again.</param>
/// <param name="Rpo">Recovery point objective: the longest loss, as a time.</param>
public sealed record RecoveryObjective(TimeSpan Rto, TimeSpan Rpo);

/// <summary>The objectives of a site.</summary>
public sealed record RecoveryObjectives(
    RecoveryObjective Database, RecoveryObjective Cache, RecoveryObjective VoiceData, RecoveryObjective FullSystem)
{
    /// <summary>The objective of a component; what has none of its own follows the full system's.</summary>
    public RecoveryObjective For(string component) => component switch
    {
        "postgres" => Database,
        "redis" => Cache,
        "voice_data" => VoiceData,
        _ => FullSystem,
    };
}
