using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.SiteRestore;

/// <summary>Brings all components back as of one moment, one after the other, each into a folder of its name. One that fails does not stop the others.</summary>
public static class SiteRestoreOrchestrator
{
    [Function(nameof(SiteRestoreOrchestrator))]
    public static async Task<SiteRestoreResult> Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<SiteRestoreRequest>()
            ?? throw new InvalidOperationException("A restore needs a request; start it with SiteRestoreStarter.");
        var cancel = context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        Show("planning", null, 0, 0);
        var plan = await PlanAsync(context, request);
        if (plan.Failure is { } none)
            return new SiteRestoreResult { Outcome = RunOutcome.Failed, ExitCode = Failures.ExitCodeOf(none.Kind), Plan = plan, Failure = none };
        var (done, chosen) = (new List<ComponentRestored>(), plan.Components.Where(c => c.SnapshotId is not null).ToList());
        foreach (var state in chosen)
        {
            if (cancel.IsCompleted) break;
            Show("restoring", state.Component, done.Count, chosen.Count);
            // Named as restores of one component are, so that nobody else writes to the same place.
            var instance = $"{InstanceIds.Restore}{state.Component}-of-{context.InstanceId}";
            var restore = RequestFor(request, state);
            var work = context.CallSubOrchestratorAsync<RestoreResult>(
                nameof(RestoreOrchestrator), restore, new SubOrchestrationOptions(instanceId: instance));
            await Task.WhenAny(work, cancel);
            if (!work.IsCompleted)
            {
                Show("cancelling", state.Component, done.Count, chosen.Count);
                context.SendEvent(instance, InstanceEvents.Cancel, "the restore of the site was cancelled");
            }

            done.Add(new ComponentRestored(state.Component, restore.Target, await ResultAsync(work)));
        }

        Show("ended", null, done.Count, chosen.Count);
        return Join(plan, done, cancel.IsCompleted);

        void Show(string phase, string? component, int ended, int total) =>
            context.SetCustomStatus(new SiteRestoreStatus(phase, component, ended, total));
    }

    /// <summary>What each component is asked for, so that it comes back to the state that the plan names.</summary>
    internal static RestoreRequest RequestFor(SiteRestoreRequest site, ComponentState state)
    {
        var request = new RestoreRequest
        {
            Component = state.Component,
            Point = state.SnapshotId!,
            Target = Path.Combine(site.Target, state.Component),
            FromReplica = site.FromReplica,
            Overwrite = site.Overwrite,
            Delta = site.Delta,
            RequestedBy = site.RequestedBy,
        };
        if (state.Component != "postgres") return request;
        if (!state.Replays) return request with { ToBackup = true };
        return site.ToTime is { } moment && state.StateAt == moment ? request with { Point = "latest", ToTime = moment } : request;
    }

    private static async Task<SitePlan> PlanAsync(TaskOrchestrationContext context, SiteRestoreRequest request)
    {
        try
        {
            return await context.CallActivityAsync<SitePlan>(nameof(PlanSite), new PlanSiteRequest(context.InstanceId, request), Retrying.Default);
        }
        catch (TaskFailedException e)
        {
            return new SitePlan { Failure = Failures.Of(e) };
        }
    }

    private static async Task<RestoreResult> ResultAsync(Task<RestoreResult> work)
    {
        try
        {
            return await work;
        }
        catch (TaskFailedException e)
        {
            return RestoreComponent.Failed(Failures.Of(e));
        }
    }

    private static SiteRestoreResult Join(SitePlan plan, List<ComponentRestored> done, bool cancelled)
    {
        var failed = done.FindAll(c => c.Result.Failure is not null);
        var missing = plan.Components.Any(c => c.SnapshotId is null);
        return new SiteRestoreResult
        {
            Outcome = cancelled ? RunOutcome.Cancelled
                : failed.Count == done.Count ? RunOutcome.Failed
                : failed.Count > 0 || missing || done.Exists(c => c.Result.Outcome != RunOutcome.Complete) ? RunOutcome.Partial : RunOutcome.Complete,
            ExitCode = cancelled ? Failures.ExitCodeOf(FailureKind.Interrupted)
                : failed.Count > 0 ? failed[0].Result.ExitCode
                : done.Exists(c => c.Result.ExitCode == 5) ? 5
                : missing || plan.Components.Any(c => c.Problem is not null) || done.Exists(c => c.Result.ExitCode != 0) ? 3 : 0,
            Plan = plan,
            Components = done,
            Failure = failed.Count == done.Count && failed.Count > 0 ? failed[0].Result.Failure : null,
        };
    }
}
