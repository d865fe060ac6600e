using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Retention;

/// <summary>Removes what the policies no longer keep, and collects garbage.</summary>
public static class RetentionOrchestrator
{
    [Function(nameof(RetentionOrchestrator))]
    public static Task<RetentionResult> Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<RetentionRequest>() ?? new RetentionRequest();
        var activity = context.CallActivityAsync<RetentionResult>(
            nameof(ApplyRetention), new ApplyRetentionRequest(context.InstanceId, request), Retrying.Default);
        return CancellableActivity.WaitAsync(
            context, activity, (phase, _) => context.SetCustomStatus(new RetentionStatus(phase)), "removing",
            failure => new RetentionResult
            {
                Outcome = failure.Kind == FailureKind.Interrupted ? RunOutcome.Cancelled : RunOutcome.Failed,
                ExitCode = Failures.ExitCodeOf(failure.Kind),
                DryRun = request.DryRun,
                Failure = failure,
            });
    }
}

/// <summary>Custom status of <see cref="RetentionOrchestrator"/>.</summary>
/// <param name="Phase"><c>removing</c>, <c>cancelling</c> or <c>ended</c>.</param>
public sealed record RetentionStatus(string Phase);
