using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Verification;

/// <summary>Input of <see cref="VerifySnapshots"/>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="Level"><c>quick</c>, <c>sample:N</c> or <c>full</c>.</param>
/// <param name="SnapshotIds">Which; empty: the whole repository.</param>
/// <param name="RequestedBy">Who asked.</param>
public sealed record VerifySnapshotsRequest(
    string InstanceId, string Level, IReadOnlyList<string> SnapshotIds, string? RequestedBy = null);

/// <summary>Verifies some snapshots, or the whole repository, and the WAL behind base backups.</summary>
public sealed class VerifySnapshots(BackupSite site)
{
    private const int MaximumDefects = 20;
    private const int MaximumSnapshots = 10;

    [Function(nameof(VerifySnapshots))]
    public async Task<VerificationResult> Run(
        [ActivityTrigger] VerifySnapshotsRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        var result = await RunAsync(request, client, cancellationToken);
        await site.Audit.RecordAsync(Entry(request, result));
        return result;
    }

    private async Task<VerificationResult> RunAsync(
        VerifySnapshotsRequest request, DurableTaskClient client, CancellationToken cancellationToken)
    {
        await using var watch = new ActivityWatch(
            site, client, request.InstanceId, "repository", request.SnapshotIds.Count == 1 ? request.SnapshotIds[0] : "verify", cancellationToken);
        try
        {
            return await VerifyAsync(request, watch, watch.Token);
        }
        catch (OperationCanceledException e) when (watch.IsCalledOff)
        {
            return Failed(request, e);
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            return Failed(request, e);
        }
    }

    private async Task<VerificationResult> VerifyAsync(VerifySnapshotsRequest request, ActivityWatch watch, CancellationToken cancellationToken)
    {
        var options = VerificationLevels.Parse(request.Level, allowRestore: false)! with
        {
            SnapshotIds = request.SnapshotIds, Parallelism = site.Parallelism,
        };
        site.RequireKeys("Verification");
        await using var lease = await site.Repositories.RentAsync(request.InstanceId, cancellationToken);
        var points = new List<Snapshot>();
        await foreach (var id in lease.Repository.Snapshots.ListIdsAsync("postgres", cancellationToken))
        {
            if (request.SnapshotIds.Count > 0 && !request.SnapshotIds.Contains(id)) continue;
            try
            {
                if (await lease.Repository.Snapshots.FindAsync(id, cancellationToken) is { } snapshot) points.Add(snapshot);
            }
            catch (Repository.DamageException)
            {
                continue; // the verifier names it
            }
        }

        var report = await new RepositoryVerifier(lease.Repository).RunAsync(options, new PackProgress(watch), cancellationToken);
        var wal = await WalVerifier.RunAsync(lease.Repository, points, options.Level == VerificationLevel.Full, cancellationToken);
        List<VerificationDefect> defects =
        [
            .. report.Defects.Select(d => new VerificationDefect(d.ObjectName, d.Problem, [.. d.Snapshots.Take(MaximumSnapshots)], d.Mend)),
            .. wal.Select(w => new VerificationDefect("wal", w.Sentence, [w.SnapshotId], "fbackup backup run --type postgres", w.BreaksBackup)),
        ];
        var result = new VerificationResult
        {
            Outcome = RunOutcome.Complete,
            ExitCode = defects.Exists(d => d.BreaksSnapshot) ? 5 : defects.Count > 0 ? 3 : 0,
            Level = request.Level,
            Snapshots = report.Snapshots,
            StartedAt = report.StartedAt,
            FinishedAt = report.FinishedAt,
            Packs = report.Packs,
            PacksRead = report.PacksRead,
            UnreferencedPacks = report.UnreferencedPacks,
            Notes = [.. report.Notes.Take(MaximumDefects)],
            BytesRead = report.BytesRead,
            DefectCount = defects.Count,
            Defects = [.. defects.OrderByDescending(d => d.BreaksSnapshot).Take(MaximumDefects)],
        };
        site.Metrics.RecordVerification(result, request.SnapshotIds.Count == 0
            ? ProtectedComponents.Of(site.Configuration)
            : [.. request.SnapshotIds.Select(SnapshotStore.ComponentOf).OfType<string>().Distinct()]);
        return result;
    }

    private static AuditEntry Entry(VerifySnapshotsRequest request, VerificationResult result) => new()
    {
        Action = AuditActions.Verify,
        Outcome = Outcomes.Of(result.Outcome, result.ExitCode),
        Actor = AuditActor.OfRequest(request.RequestedBy),
        Target = request.SnapshotIds.Count switch { 0 => "all", 1 => request.SnapshotIds[0], _ => null },
        Instance = request.InstanceId,
        ExitCode = result.ExitCode,
        Error = result.Failure?.Sentence,
        Facts = new Dictionary<string, string>
        {
            ["level"] = request.Level,
            ["recovery_points"] = $"{result.Snapshots}",
            ["packs_read"] = $"{result.PacksRead}",
            ["defects"] = $"{result.DefectCount}",
        },
        Items = [.. result.Defects.Select(d => new AuditItem(d.ObjectName, "defect", d.Problem))],
    };

    private static VerificationResult Failed(VerifySnapshotsRequest request, Exception e)
    {
        var failure = Failures.Of(e);
        return new VerificationResult
        {
            Outcome = failure.Kind == FailureKind.Interrupted ? RunOutcome.Cancelled : RunOutcome.Failed,
            ExitCode = Failures.ExitCodeOf(failure.Kind),
            Level = request.Level,
            Failure = failure,
        };
    }

    /// <summary>Packs, shown as if they were files.</summary>
    private sealed class PackProgress(ActivityWatch watch) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value) => watch.Report(new Components.WorkProgress(value.Done, value.Total, 0, 0, "packs"));
    }
}
