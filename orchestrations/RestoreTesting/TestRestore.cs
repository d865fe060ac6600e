using System.Globalization;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Snapshots;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.RestoreTesting;

/// <summary>Input of <see cref="TestRestore"/>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="SnapshotId">What to test.</param>
/// <param name="RequestedBy">Who asked.</param>
public sealed record TestRestoreRequest(string InstanceId, string SnapshotId, string? RequestedBy = null);

/// <summary>Proves that one snapshot restores; see <see cref="SnapshotTest"/>.</summary>
public sealed class TestRestore(BackupSite site)
{
    private const int MaximumFindings = 40;

    [Function(nameof(TestRestore))]
    public async Task<SnapshotTestResult> Run(
        [ActivityTrigger] TestRestoreRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        var result = await RunAsync(request, client, cancellationToken);
        await site.Audit.RecordAsync(Entry(request, result));
        return result;
    }

    private async Task<SnapshotTestResult> RunAsync(TestRestoreRequest request, DurableTaskClient client, CancellationToken cancellationToken)
    {
        var component = SnapshotStore.ComponentOf(request.SnapshotId) ?? "unknown";
        await using var watch = new ActivityWatch(site, client, request.InstanceId, component, request.SnapshotId, cancellationToken);
        try
        {
            site.RequireKeys("A restore test");
            await using var lease = await site.Repositories.RentAsync(request.InstanceId, watch.Token);
            var snapshot = await lease.Repository.GetSnapshotAsync(request.SnapshotId, null, watch.Token);
            var result = await SnapshotTest.RunAsync(site, lease.Repository, snapshot, site.Options.Warn, watch, watch.Token);
            site.Metrics.RecordRestoreTest(result);
            return result with { Findings = [.. result.Findings.Take(MaximumFindings)] };
        }
        catch (Exception e) when (e is not OperationCanceledException || watch.IsCalledOff)
        {
            if (Failures.IsWorthRetrying(e)) throw;
            return new SnapshotTestResult { SnapshotId = request.SnapshotId, Component = component, Failure = Failures.Of(e) };
        }
    }
    private static AuditEntry Entry(TestRestoreRequest request, SnapshotTestResult result)
    {
        var facts = new Dictionary<string, string>
        {
            ["component"] = result.Component,
            ["passed"] = result.Passed ? "true" : "false",
            ["seconds"] = result.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
        };
        if (result.SecondsToService is { } service) facts["seconds_to_service"] = service.ToString("0.0", CultureInfo.InvariantCulture);
        if (result.ObjectiveSeconds is { } objective) facts["objective_seconds"] = objective.ToString("0", CultureInfo.InvariantCulture);
        return new AuditEntry
        {
            Action = AuditActions.RestoreTest,
            Outcome = result.Passed ? AuditOutcome.Done
                : result.Failure?.Kind == FailureKind.Interrupted ? AuditOutcome.Cancelled : AuditOutcome.Failed,
            Actor = AuditActor.OfRequest(request.RequestedBy),
            Target = request.SnapshotId,
            Instance = request.InstanceId,
            Error = result.Failure?.Sentence ?? (result.Passed || result.Findings.Count == 0 ? null : result.Findings[^1]),
            Facts = facts,
        };
    }
}
