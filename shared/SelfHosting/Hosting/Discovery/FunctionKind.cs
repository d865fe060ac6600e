namespace FunctionsBackup.SelfHosting.Hosting.Discovery;

/// <summary>What starts a function.</summary>
public enum FunctionKind
{
    Orchestrator,
    Activity,
    Timer,
    Http,
}
