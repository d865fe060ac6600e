using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Starts backups: of each component one at a time, and what is due once.</summary>
public sealed class BackupStarter(BackupSite site)
{
    public const string Orchestrator = nameof(BackupOrchestrator);

    /// <summary>
    /// Starts a backup now. If one instance is working on all of these components, it is the answer; components that only some of are
    /// being worked on are left to those by the new instance's claim.
    /// </summary>
    /// <exception cref="InvalidRequestException">A component is unknown, not available or not configured.</exception>
    public async Task<StartResult> StartAsync(DurableTaskClient client, BackupRequest request, CancellationToken cancellationToken)
    {
        var configuration = site.Configuration;
        Check(request.Verify);
        var components = ProtectedComponents.Choose(configuration, request.Components);
        foreach (var running in await Instance.ListLiveAsync(client, InstanceIds.Backup, cancellationToken))
            if (BackupClaims.Of(running) is { } held && components.All(held.Contains)) return new StartResult(running.InstanceId, false);
        var subject = InstanceIds.SubjectOf(components, ProtectedComponents.Of(configuration));
        var id = InstanceIds.OnDemand(InstanceIds.Backup, subject, site.Time.GetUtcNow(), Random.Shared);
        return await Instance.StartOnceAsync(client, Orchestrator, Possible(request with { Components = components }), id, cancellationToken);
    }

    /// <summary>Starts what a policy made due, unless it was started before: by this host or another, now or earlier.</summary>
    /// <param name="client">The engine.</param>
    /// <param name="policy">The component whose policy it is.</param>
    /// <param name="kind">As in the configuration: <c>full_backup</c> (also <c>full</c>), <c>incremental</c> or <c>snapshot</c>.</param>
    /// <param name="dueAt">When it was due.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="InvalidRequestException">The component is unknown, not available or not configured.</exception>
    public async Task<StartResult> StartDueAsync(
        DurableTaskClient client, string policy, string kind, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        ProtectedComponents.Check(site.Configuration, policy);
        if (kind == "full_backup") kind = "full";
        var request = new BackupRequest
        {
            Components = [policy], Full = kind == "full", Policy = policy, Kind = kind, DueAt = dueAt, Retention = true, RequestedBy = "schedule",
        };
        var id = InstanceIds.Scheduled(InstanceIds.Backup, $"{policy}-{kind}", dueAt);
        return await Instance.StartOnceAsync(client, Orchestrator, Possible(request), id, cancellationToken);
    }

    /// <summary>A host that only writes cannot read what it wrote: those who have the keys verify it.</summary>
    private BackupRequest Possible(BackupRequest request) => site.IsWriteOnly ? request with { Verify = "none" } : request;

    private static void Check(string level)
    {
        if (level != "none") Verification.VerificationLevels.Parse(level, allowRestore: false);
    }
}
