namespace FunctionsBackup.SelfHosting.Engine.Replay;

/// <summary>The orchestrator's code does not what the history of an instance has.</summary>
public sealed class NonDeterministicOrchestrationException : InvalidOperationException
{
    public NonDeterministicOrchestrationException()
    {
    }

    public NonDeterministicOrchestrationException(string message)
        : base(message)
    {
    }

    public NonDeterministicOrchestrationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal NonDeterministicOrchestrationException(string instanceId, long step, string recorded, string done)
        : base($"The code does not what the history of '{instanceId}' has: in step {step} that has {recorded}, the code did {done}. " +
            "Register changed code as a new version, and keep the old version until its instances have ended.")
    {
        Step = step;
        Recorded = recorded;
        Done = done;
    }

    /// <summary>The first row of the history that differs, by its sequence number.</summary>
    public long Step { get; }

    /// <summary>What the history has there.</summary>
    public string Recorded { get; } = string.Empty;

    /// <summary>What the code did.</summary>
    public string Done { get; } = string.Empty;
}
