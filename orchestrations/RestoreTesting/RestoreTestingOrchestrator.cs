using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.RestoreTesting;

/// <summary>Restores some snapshots for real, one after the other, since each may need the room of a whole copy.</summary>
public static class RestoreTestingOrchestrator
{
    [Function(nameof(RestoreTestingOrchestrator))]
    public static async Task<RestoreTestResult> Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<RestoreTestRequest>() ?? new RestoreTestRequest();
        var cancel = context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        PickedTests picked;
        try
        {
            picked = await context.CallActivityAsync<PickedTests>(nameof(PickRestoreTests), request, Retrying.Default);
        }
        catch (TaskFailedException e)
        {
            picked = new PickedTests([], Failures.Of(e));
        }

        if (picked.Failure is { } none)
            return new RestoreTestResult { Outcome = RunOutcome.Failed, ExitCode = Failures.ExitCodeOf(none.Kind), Failure = none };
        var results = new List<SnapshotTestResult>();
        foreach (var id in picked.SnapshotIds)
        {
            if (cancel.IsCompleted) break;
            Show("testing");
            var test = context.CallActivityAsync<SnapshotTestResult>(
                nameof(TestRestore), new TestRestoreRequest(context.InstanceId, id, request.RequestedBy), Retrying.Default);
            await Task.WhenAny(test, cancel);
            if (!test.IsCompleted) Show("cancelling");
            results.Add(await ResultAsync(test, id));
        }

        Show("ended");
        return Join(results, cancel.IsCompleted);

        void Show(string phase) => context.SetCustomStatus(new RestoreTestStatus(
            phase, results.Count, picked.SnapshotIds.Count, results.Count(r => !r.Passed)));
    }

    private static async Task<SnapshotTestResult> ResultAsync(Task<SnapshotTestResult> test, string id)
    {
        try
        {
            return await test;
        }
        catch (TaskFailedException e)
        {
            return new SnapshotTestResult
            {
                SnapshotId = id, Component = Repository.Snapshots.SnapshotStore.ComponentOf(id) ?? "unknown", Failure = Failures.Of(e),
            };
        }
    }

    private static RestoreTestResult Join(List<SnapshotTestResult> results, bool cancelled)
    {
        var failure = results.Find(r => r.Failure is not null)?.Failure;
        var broken = results.Exists(r => r is { Passed: false, Failure: null });
        return new RestoreTestResult
        {
            Outcome = cancelled ? RunOutcome.Cancelled
                : failure is null ? RunOutcome.Complete
                : results.Exists(r => r.Failure is null) ? RunOutcome.Partial : RunOutcome.Failed,
            ExitCode = broken ? 5
                : cancelled ? Failures.ExitCodeOf(FailureKind.Interrupted)
                : failure is not null ? Failures.ExitCodeOf(failure.Kind) : 0,
            Tests = results,
            Failure = failure,
        };
    }
}
