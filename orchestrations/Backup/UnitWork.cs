using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>What all units have in common: one that is done is not done again, and what cannot be mended by trying again is told as data.</summary>
internal static class UnitWork
{
    public static async Task<UnitResult> RunAsync(
        BackupSite site, DurableTaskClient client, UnitRequest request,
        Func<BackupRepository, RunUnit, ActivityWatch, ValueTask<Snapshot>> store, CancellationToken cancellationToken)
    {
        await using var watch = new ActivityWatch(site, client, request.InstanceId, request.Component, request.Unit, cancellationToken);
        try
        {
            await using var lease = await site.Repositories.RentAsync(request.RunId, watch.Token);
            var runs = new BackupRuns(lease.Repository);
            if (await runs.FindPartAsync(request.RunId, request.Unit, watch.Token) is { } done)
                return Result(request, done.Statistics, done.Warnings.Count) with { WasDone = true };
            var unit = await runs.JoinAsync(request.RunId, request.Unit, watch.Token);
            var snapshot = await store(lease.Repository, unit, watch);
            return Result(request, snapshot.Statistics, snapshot.Warnings.Count);
        }
        catch (OperationCanceledException e) when (watch.IsCalledOff)
        {
            return new UnitResult { Unit = request.Unit, Failure = Failures.Of(e) };
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            return new UnitResult { Unit = request.Unit, Failure = Failures.Of(e) };
        }
    }

    private static UnitResult Result(UnitRequest request, SnapshotStatistics statistics, int warnings) => new()
    {
        Unit = request.Unit,
        Entries = statistics.Entries,
        Files = statistics.Files,
        LogicalBytes = statistics.LogicalBytes,
        ReadBytes = statistics.ReadBytes,
        NewBytes = statistics.NewBytes,
        Warnings = warnings,
    };
}
