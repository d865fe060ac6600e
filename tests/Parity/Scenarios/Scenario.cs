using FunctionsBackup.Tests.Parity.Scenarios.Workflows;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>One question to both engines.</summary>
/// <param name="Name">Unique; reads as a sentence.</param>
/// <param name="Play">Declares, drives and says.</param>
/// <param name="Note">What a reader of the recorded outcome should know, above all where Azure Storage's backend answers otherwise.</param>
internal sealed record Scenario(string Name, Func<Stage, Task> Play, string? Note = null)
{
    /// <summary>Whether it is about replays: an engine that keeps orchestrators in memory has none.</summary>
    public bool IsAboutReplays => Name.StartsWith("code that changed", StringComparison.Ordinal);

    public static IReadOnlyList<Scenario> All { get; } =
    [
        .. ActivityScenarios.All,
        .. RetryScenarios.All,
        .. FanOutScenarios.All,
        .. SubOrchestrationScenarios.All,
        .. TimerScenarios.All,
        .. EventScenarios.All,
        .. ContinueAsNewScenarios.All,
        .. SteeringScenarios.All,
        .. StartScenarios.All,
        .. QueryScenarios.All,
        .. DataScenarios.All,
        .. DeterminismScenarios.All,
        .. BackupScenarios.All,
        .. WorkflowScenarios.All,
    ];

    /// <summary>Plays it; what goes wrong is said too.</summary>
    public async Task<IReadOnlyList<string>> PlayOn(Stage stage)
    {
        try
        {
            await Play(stage).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (Exception e)
        {
            stage.Say($"the scenario broke off: {Stage.Describe(e)}");
        }

        return stage.Said;
    }
}
