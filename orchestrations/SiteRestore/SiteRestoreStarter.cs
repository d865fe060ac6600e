using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.SiteRestore;

/// <summary>Starts restores of the whole site: into one folder one at a time.</summary>
public sealed class SiteRestoreStarter(BackupSite site)
{
    public const string Orchestrator = nameof(SiteRestoreOrchestrator);

    /// <summary>Starts a restore; one that is writing to the same place is the answer instead.</summary>
    /// <exception cref="InvalidRequestException">The request makes no sense.</exception>
    public async Task<StartResult> StartAsync(DurableTaskClient client, SiteRestoreRequest request, CancellationToken cancellationToken)
    {
        Check(request);
        var folder = Folder(request.Target);
        foreach (var prefix in new[] { InstanceIds.SiteRestore, InstanceIds.Restore })
            foreach (var running in await Instance.ListLiveAsync(client, prefix, cancellationToken))
                if (TargetOf(running) is { } other && Overlap(Folder(other), folder)) return new StartResult(running.InstanceId, false);
        var id = InstanceIds.OnDemand(InstanceIds.SiteRestore, "all", site.Time.GetUtcNow(), Random.Shared);
        return await Instance.StartOnceAsync(client, Orchestrator, request, id, cancellationToken);
    }

    /// <exception cref="InvalidRequestException">The request makes no sense.</exception>
    public static void Check(SiteRestoreRequest request)
    {
        if (!Path.IsPathFullyQualified(request.Target) || request.Target.Contains('\0'))
            throw new InvalidRequestException("The target of a restore of everything must be an absolute path: each component gets a folder in it.");
        foreach (var component in request.Components)
            if (!ProtectedComponents.Available.Contains(component))
                throw new InvalidRequestException($"Restores of this component are not available; name some of {string.Join(", ", ProtectedComponents.Available)}.");
    }

    /// <summary>Where a running restore writes; null for one that only plans.</summary>
    private static string? TargetOf(OrchestrationMetadata running) =>
        running.InstanceId.StartsWith(InstanceIds.SiteRestore, StringComparison.Ordinal) ? running.ReadInputAs<SiteRestoreRequest>()?.Target
        : running.ReadInputAs<RestoreRequest>() is { PlanOnly: false } one ? one.Target : null;

    private static bool Overlap(string a, string b) => a.StartsWith(b, StringComparison.Ordinal) || b.StartsWith(a, StringComparison.Ordinal);

    private static string Folder(string target) => Path.GetFullPath(target).TrimEnd('/') + "/";
}
