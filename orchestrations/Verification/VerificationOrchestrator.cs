using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Verification;

/// <summary>
/// Verifies the repository as a whole, or the snapshots that are named, some at a time. Level <c>restore</c> restores them for real.
/// </summary>
public static class VerificationOrchestrator
{
    private const int MaximumDefects = 20;

    [Function(nameof(VerificationOrchestrator))]
    public static async Task<VerificationResult> Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<VerificationRequest>() ?? new VerificationRequest();
        var cancel = context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        if (request.Level == "restore") return await RestoreAsync(context, request, cancel);

        // A snapshot at a time: a small result each, and what was verified is not verified again after a crash.
        var waiting = new Queue<IReadOnlyList<string>>(
            request.SnapshotIds.Count == 0 ? [[]] : request.SnapshotIds.Select(id => (IReadOnlyList<string>)[id]));
        var total = waiting.Count;
        var running = new List<Task<VerificationResult>>();
        var results = new List<VerificationResult>();
        while (true)
        {
            while (!cancel.IsCompleted && running.Count < Math.Max(1, request.Parallel) && waiting.TryDequeue(out var ids))
                running.Add(context.CallActivityAsync<VerificationResult>(
                    nameof(VerifySnapshots), new VerifySnapshotsRequest(context.InstanceId, request.Level, ids, request.RequestedBy), Retrying.Default));
            context.SetCustomStatus(new VerificationProgress(
                cancel.IsCompleted ? "cancelling" : "verifying", request.Level, results.Count, total, results.Sum(r => r.DefectCount)));
            if (running.Count == 0) break;
            await Task.WhenAny(cancel.IsCompleted ? running : [.. running, (Task)cancel]);
            foreach (var ended in running.FindAll(t => t.IsCompleted)) results.Add(await ResultAsync(ended, request.Level));
            running.RemoveAll(t => t.IsCompleted);
        }

        return Join(request.Level, results, cancel.IsCompleted);
    }

    private static async Task<VerificationResult> RestoreAsync(TaskOrchestrationContext context, VerificationRequest request, Task<string> cancel)
    {
        var id = InstanceIds.RestoreTest + "of-" + context.InstanceId;
        var tests = context.CallSubOrchestratorAsync<RestoreTestResult>(
            nameof(RestoreTestingOrchestrator), new RestoreTestRequest { SnapshotIds = request.SnapshotIds },
            new SubOrchestrationOptions(instanceId: id));
        await Task.WhenAny(tests, cancel);
        if (!tests.IsCompleted) context.SendEvent(id, InstanceEvents.Cancel, "the verification was cancelled");
        RestoreTestResult result;
        try
        {
            result = await tests;
        }
        catch (TaskFailedException e)
        {
            return Failed(request.Level, Failures.Of(e));
        }

        var defects = result.Tests.Where(t => !t.Passed && t.Failure is null).Select(t => new VerificationDefect(
            $"snapshots/{t.SnapshotId}", $"{t.SnapshotId} does not restore: {(t.Findings.Count > 0 ? t.Findings[^1] : "see its test")}", [t.SnapshotId],
            "fbackup repository repair")).ToList();
        return new VerificationResult
        {
            Outcome = result.Outcome,
            ExitCode = result.ExitCode,
            Level = request.Level,
            Snapshots = result.Tests.Count,
            DefectCount = defects.Count,
            Defects = [.. defects.Take(MaximumDefects)],
            Failure = result.Failure,
        };
    }

    private static async Task<VerificationResult> ResultAsync(Task<VerificationResult> task, string level)
    {
        try
        {
            return await task;
        }
        catch (TaskFailedException e)
        {
            return Failed(level, Failures.Of(e));
        }
    }

    private static VerificationResult Failed(string level, Failure failure) => new()
    {
        Outcome = failure.Kind == FailureKind.Interrupted ? RunOutcome.Cancelled : RunOutcome.Failed,
        ExitCode = Failures.ExitCodeOf(failure.Kind),
        Level = level,
        Failure = failure,
    };

    private static VerificationResult Join(string level, List<VerificationResult> results, bool cancelled)
    {
        var failure = results.Find(r => r.Failure is not null)?.Failure;
        var damaged = results.Exists(r => r.ExitCode == 5);
        return new VerificationResult
        {
            Outcome = cancelled ? RunOutcome.Cancelled
                : failure is null ? RunOutcome.Complete
                : results.Exists(r => r.Failure is null) ? RunOutcome.Partial : RunOutcome.Failed,
            // Damage outweighs everything; then what could not be verified.
            ExitCode = damaged ? 5
                : cancelled ? Failures.ExitCodeOf(FailureKind.Interrupted)
                : failure is not null ? Failures.ExitCodeOf(failure.Kind)
                : results.Exists(r => r.ExitCode == 3) ? 3 : 0,
            Level = level,
            Snapshots = results.Sum(r => r.Snapshots),
            StartedAt = results.Count == 0 ? default : results.Min(r => r.StartedAt),
            FinishedAt = results.Count == 0 ? default : results.Max(r => r.FinishedAt),
            Packs = results.Sum(r => r.Packs),
            PacksRead = results.Sum(r => r.PacksRead),
            UnreferencedPacks = results.Count == 0 ? 0 : results.Max(r => r.UnreferencedPacks),
            Notes = [.. results.SelectMany(r => r.Notes).Distinct().Take(MaximumDefects)],
            BytesRead = results.Sum(r => r.BytesRead),
            DefectCount = results.Sum(r => r.DefectCount),
            Defects = [.. results.SelectMany(r => r.Defects).OrderByDescending(d => d.BreaksSnapshot).Take(MaximumDefects)],
            Failure = failure,
        };
    }
}
