namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>What a starter answers with.</summary>
/// <param name="InstanceId">The instance: the new one, or the one that is doing the same already.</param>
/// <param name="Started">False: it was there before, and nothing was started.</param>
public sealed record StartResult(string InstanceId, bool Started);
