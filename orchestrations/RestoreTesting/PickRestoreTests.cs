using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Orchestrations.RestoreTesting;

/// <summary>Which snapshots are tested.</summary>
/// <param name="SnapshotIds">In order of time.</param>
/// <param name="Failure">Why none could be picked.</param>
public sealed record PickedTests(IReadOnlyList<string> SnapshotIds, Failure? Failure);

/// <summary>Picks snapshots: of each component the newest, and others at random.</summary>
public sealed class PickRestoreTests(BackupSite site)
{
    [Function(nameof(PickRestoreTests))]
    public async Task<PickedTests> Run([ActivityTrigger] RestoreTestRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (request.SnapshotIds.Count > 0) return new PickedTests(request.SnapshotIds, null);
            await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
            var picked = new List<string>();
            foreach (var component in ProtectedComponents.Choose(site.Configuration, request.Components))
            {
                var ids = await lease.Repository.Snapshots.ListIdsAsync(component, cancellationToken).ToListAsync(cancellationToken);
                if (ids.Count == 0) continue;
                picked.Add(ids[^1]);
                var others = ids.ToArray().AsSpan(0, ids.Count - 1);
                Random.Shared.Shuffle(others);
                picked.AddRange(others[..Math.Min(others.Length, request.Sample - 1)]);
            }

            picked.Sort(StringComparer.Ordinal);
            return picked.Count > 0 ? new PickedTests(picked, null)
                : new PickedTests([], new Failure(FailureKind.NotFound, "There is no recovery point to test yet; run 'fbackup backup run'."));
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            return new PickedTests([], Failures.Of(e));
        }
    }
}
