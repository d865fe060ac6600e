using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Tests.Parity.Scenarios.Workflows;

/// <summary>Backups: our own orchestrator, with activities that answer what the scenario says.</summary>
internal static class BackupScenarios
{
    private const string Id = "backup-all-20261125T2215Z";

    private static readonly BackupRequest Request = new()
    {
        Components = ["postgres", "voice_data", "logs"], Full = true, Policy = "voice_data", Kind = "full", Retention = true, RequestedBy = "schedule",
    };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("workflow: a backup of three components", s => PlayAsync(s, new Fakes(s))),
        new("workflow: a backup of many units at once", s => PlayAsync(s, new Fakes(s) { Units = 12, InFlight = 4 }, Request with { Verify = "none" })),
        new("workflow: a backup in which one component fails", s => PlayAsync(s, new Fakes(s)
        {
            Fail = r => r.Unit == "voice_data.0002" ? new Failure(FailureKind.Configuration, "The folder is gone; mend the paths.") : null,
        })),
        new("workflow: a backup in which every component fails", s => PlayAsync(s, new Fakes(s)
        {
            Fail = _ => new Failure(FailureKind.NotFound, "It is not there."),
        })),
        new("workflow: a unit that fails for a moment is tried again", s => PlayAsync(s, new Fakes(s)
        {
            Before = r => r.Unit == "logs.0001" && s.Count("try") == 1 ? throw new IOException("The store is away.") : Task.CompletedTask,
        })),
        new("workflow: a backup of which another instance does a part", s => PlayAsync(s, new Fakes(s)
        {
            Held = new Dictionary<string, string> { ["voice_data"] = "backup-voice_data-1" },
        })),
        new("workflow: a backup of which another instance does all", s => PlayAsync(s, new Fakes(s)
        {
            Held = Request.Components.ToDictionary(c => c, _ => "backup-all-1"),
        })),
        new("workflow: a backup that is cancelled while units run", s => PlayAsync(s, new Fakes(s)
        {
            Before = async r =>
            {
                if (r.Unit == "voice_data.0002") await (await s.ClientAsync()).RaiseEventAsync(Id, InstanceEvents.Cancel, "enough");
            },
        })),
    ];

    private static async Task PlayAsync(Stage stage, Fakes fakes, BackupRequest? request = null)
    {
        fakes.Declare();
        await WorkflowScenarios.PlayAsync(stage, fakes.Steps, "BackupOrchestrator", Id, request ?? Request);
    }

    /// <summary>The activities of a backup.</summary>
    private sealed class Fakes(Stage s)
    {
        public Steps Steps { get; } = new();

        public int Units { get; init; } = 3;

        /// <summary>One after the other, so that what begins does not depend on who is quicker.</summary>
        public int InFlight { get; init; } = 1;

        public Dictionary<string, string> Held { get; init; } = [];

        public Func<UnitRequest, Failure?> Fail { get; init; } = _ => null;

        public Func<UnitRequest, Task> Before { get; init; } = _ => Task.CompletedTask;

        public void Declare()
        {
            WorkflowScenarios.Verifications(s, Steps);
            s.Orchestrator("BackupOrchestrator", c => BackupOrchestrator.Run(Steps.Watch<BackupRequest>(c)));
            s.Activity("ClaimBackup", (ClaimRequest r) => new ClaimResult([.. r.Components.Where(c => !Held.ContainsKey(c))], Held));
            s.Activity("PlanBackup", (PlanRequest r) => new BackupPlan
            {
                UnitsInFlight = InFlight,
                Components = [.. r.Components.Select(c => new ComponentPlan
                {
                    Component = c,
                    Units = [.. Enumerable.Range(1, c == "postgres" ? 1 : Units).Select(i => new UnitPlan($"{c}.{i:0000}", c == "postgres" ? 0 : 1000, 10))],
                })],
            });
            s.Activity<UnitRequest, UnitResult>("StoreFilesUnit", StoreAsync);
            s.Activity<UnitRequest, UnitResult>("StorePostgresUnit", StoreAsync);
            s.Activity("CommitBackup", (CommitRequest r) => new CommitResult("the-point", [.. r.Components.Select(c => new ComponentResult
            {
                Component = c.Component,
                Outcome = c.Failure is null ? RunOutcome.Complete : RunOutcome.Failed,
                SnapshotId = c.Failure is null ? $"snapshot-{c.Component}" : null,
                Failure = c.Failure,
                Units = c.Units.Count,
            })]));
            s.Activity("AbandonBackup", (AbandonRequest _) => true);
            s.Activity("ReportBackup", (BackupReport r) => new FollowUps(r.Retention ? "retention-all-1" : null, null));
        }

        private async Task<UnitResult> StoreAsync(UnitRequest request)
        {
            await Before(request);
            return new UnitResult
            {
                Unit = request.Unit, Failure = Fail(request), Entries = 10, Files = 8, LogicalBytes = 900, ReadBytes = 800, NewBytes = 700,
            };
        }
    }
}
