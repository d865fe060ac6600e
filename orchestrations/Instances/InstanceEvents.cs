namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>External events that running orchestrations listen to.</summary>
public static class InstanceEvents
{
    /// <summary>Stop: nothing new is begun, what runs is broken off, nothing half remains. Payload: a string, why.</summary>
    public const string Cancel = "Cancel";

    /// <summary>From a long activity: how far it is. Payload: <see cref="Heartbeat"/>.</summary>
    public const string Heartbeat = "Heartbeat";
}

/// <summary>How far a long activity is; raised more and more rarely, so that the history stays small.</summary>
/// <param name="Component">The component it works on.</param>
/// <param name="Unit">The unit: <c>voice_data.0003</c>, <c>postgres.0001</c>.</param>
/// <param name="At">When, by the activity's clock.</param>
/// <param name="FilesDone">Files so far.</param>
/// <param name="BytesDone">Bytes of the source or target so far.</param>
/// <param name="BytesTotal">Bytes in all; 0 while unknown.</param>
public sealed record Heartbeat(string Component, string Unit, DateTimeOffset At, long FilesDone, long BytesDone, long BytesTotal);
