using System.Text.Json;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.SiteRestore;

/// <summary>
/// Chooses for each component the newest state at or before one moment, and says how far apart these are. Reads records only.
/// </summary>
public sealed class SitePlanner(BackupRepository repository)
{
    /// <param name="components">Which; empty: all that the repository has, in the order of <see cref="ProtectedComponents.Available"/>.</param>
    /// <param name="toTime">The moment; null: the newest.</param>
    /// <param name="beforeAnomaly">Pass over what is suspicious.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<SitePlan> PlanAsync(
        IReadOnlyList<string> components, DateTimeOffset? toTime, bool beforeAnomaly, CancellationToken cancellationToken)
    {
        var states = new List<ComponentState>();
        foreach (var component in ProtectedComponents.Available)
        {
            if (components.Count > 0 && !components.Contains(component)) continue;
            var snapshots = await ListNewestFirstAsync(component, beforeAnomaly, cancellationToken);
            if (snapshots.Count == 0)
            {
                if (components.Count > 0) states.Add(new ComponentState { Component = component, Problem = $"The repository has no recovery point of {component}." });
                continue;
            }

            var physical = snapshots.Where(s => LogicalBackupDetails.FromJson(s.Details) is null).ToList();
            if (physical.Count == 0)
            {
                states.Add(new ComponentState
                {
                    Component = component,
                    Problem = $"All backups of {component} are logical ones, which go into a server and not into a folder; restore one with 'fbackup restore {component} latest --target env:NAME'.",
                });
                continue;
            }

            snapshots = physical;
            var state = component != "postgres" ? AtSnapshot(snapshots, component, toTime)
                : beforeAnomaly ? AtBackup(snapshots, toTime) // the WAL behind a clean base backup leads right into the damage
                : await DatabaseAsync(snapshots, toTime, cancellationToken);
            states.Add(toTime is { } moment && state.StateAt is { } at
                ? state with { BehindSeconds = Math.Max(0, Math.Round((moment - at).TotalSeconds, 3)) }
                : state);
        }

        var moments = states.Select(s => s.StateAt).OfType<DateTimeOffset>().ToList();
        return new SitePlan
        {
            ToTime = toTime, Components = states, SkewSeconds = moments.Count > 1 ? Math.Round((moments.Max() - moments.Min()).TotalSeconds, 3) : null,
        };
    }

    private async ValueTask<IReadOnlyList<Snapshot>> ListNewestFirstAsync(string component, bool beforeAnomaly, CancellationToken cancellationToken)
    {
        var suspicions = beforeAnomaly ? await CleanPoints.SuspicionsAsync(repository, component, cancellationToken) : null;
        var found = new List<Snapshot>();
        await foreach (var snapshot in repository.Snapshots.ListNewestFirstAsync(component, cancellationToken))
            if (suspicions?.IsClean(snapshot) != false) found.Add(snapshot);
        return found;
    }

    private static ComponentState AtSnapshot(IReadOnlyList<Snapshot> snapshots, string component, DateTimeOffset? toTime) =>
        snapshots.FirstOrDefault(s => !(s.CompletedAt > toTime)) is { } chosen
            ? new ComponentState { Component = component, SnapshotId = chosen.Id, StateAt = MomentOf(chosen) }
            : TooEarly(component, snapshots);

    private static DateTimeOffset MomentOf(Snapshot snapshot) =>
        RedisBackupDetails.FromJson(snapshot.Details)?.Time ?? snapshot.StartedAt;

    /// <summary>A database as it was at the end of a base backup.</summary>
    private static ComponentState AtBackup(IReadOnlyList<Snapshot> snapshots, DateTimeOffset? toTime)
    {
        var state = AtSnapshot(snapshots, "postgres", toTime);
        return snapshots.FirstOrDefault(s => s.Id == state.SnapshotId) is { } chosen ? state with { StateAt = StopTime(chosen) } : state;
    }

    private static DateTimeOffset StopTime(Snapshot snapshot)
    {
        try
        {
            return PostgresBackupDetails.FromJson(snapshot.Details).StopTime;
        }
        catch (JsonException)
        {
            return snapshot.CompletedAt; // taken by a newer version
        }
    }

    private static ComponentState TooEarly(string component, IReadOnlyList<Snapshot> snapshots) => new()
    {
        Component = component,
        Problem = $"The oldest recovery point of {component} is from {Human.Moment(snapshots[^1].CompletedAt)}; choose that time or a later one.",
    };

    /// <summary>A database comes back to the moment itself where the WAL reaches it, else to the last commit before it.</summary>
    private async ValueTask<ComponentState> DatabaseAsync(IReadOnlyList<Snapshot> snapshots, DateTimeOffset? toTime, CancellationToken cancellationToken)
    {
        var selector = new BaseBackupSelector(repository);
        try
        {
            if (toTime is { } moment)
            {
                try
                {
                    var exact = await selector.SelectAsync(
                        Options("latest", RestoreGoal.To(new RecoveryTarget.AtTime(moment, Inclusive: true))), cancellationToken);
                    return new ComponentState { Component = "postgres", SnapshotId = exact.Snapshot.Id, StateAt = moment, Replays = true };
                }
                catch (UnreachableTargetException e)
                {
                    if (snapshots.FirstOrDefault(s => s.CompletedAt <= moment) is not { } before) return TooEarly("postgres", snapshots);
                    var last = await ToEndAsync(selector, before, cancellationToken);
                    return (last.StateAt <= moment ? last : last with { StateAt = StopTime(before), Replays = false }) with { Problem = e.Message };
                }
            }

            return await ToEndAsync(selector, snapshots[0], cancellationToken);
        }
        catch (Exception e) when (e is RestoreRefusedException or UnreachableTargetException or DamageException)
        {
            return new ComponentState { Component = "postgres", Problem = e.Message };
        }
    }

    private static async ValueTask<ComponentState> ToEndAsync(BaseBackupSelector selector, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var found = await selector.SelectAsync(Options(snapshot.Id, RestoreGoal.Latest), cancellationToken);
        var at = found.Window.EndTime is { } end && end > found.Details.StopTime ? end : found.Details.StopTime;
        return new ComponentState { Component = "postgres", SnapshotId = snapshot.Id, StateAt = at, Replays = true };
    }

    private static PostgresRestoreOptions Options(string point, RestoreGoal goal) => new("/") { SnapshotId = point, Goal = goal };
}
