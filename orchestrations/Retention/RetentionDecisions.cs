using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Retention;

namespace FunctionsBackup.Orchestrations.Retention;

/// <summary>What the policies of the configuration say of the recovery points of the repository.</summary>
public static class RetentionDecisions
{
    public static async ValueTask<IReadOnlyList<RetentionDecision>> DecideAsync(
        BackupConfiguration configuration, BackupRepository repository, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var pins = await repository.Snapshots.ListPinsAsync(cancellationToken);
        var records = await new DamageRecords(repository.Store, repository.Sealed).ListAsync(cancellationToken);
        var damaged = records.SelectMany(r => r.Snapshots).Select(s => s.Id).ToHashSet();
        var suspicions = await CleanPoints.SuspicionsAsync(repository, null, cancellationToken);
        var candidates = new List<RetentionCandidate>();
        // What is in doubt takes nobody's place: the last clean one stays.
        await foreach (var snapshot in repository.ListSnapshotsAsync(null, cancellationToken))
            candidates.Add(RetentionCandidate.Of(
                snapshot, pins.Contains(snapshot.Id), damaged.Contains(snapshot.Id) || !suspicions.IsClean(snapshot)));
        var decisions = RetentionPlan.Decide(candidates, component => Policy(configuration.Retention(component)), now);
        var result = new List<RetentionDecision>(decisions.Count);
        foreach (var decision in decisions)
            result.Add(await WithLockAsync(repository, WithDoubt(suspicions, decision), cancellationToken));
        return result;
    }

    /// <summary>While nobody has decided on a suspicious recovery point, nothing of its component goes.</summary>
    private static RetentionDecision WithDoubt(Suspicions suspicions, RetentionDecision decision) =>
        !decision.Keep && suspicions.Open(decision.Candidate.Component) is [var open, ..]
            ? decision with { Keep = true, Reasons = [$"{open.SnapshotId} is suspicious and nobody has decided", .. decision.Reasons] }
            : decision;

    /// <summary>What is locked cannot go yet, and says until when.</summary>
    private static async ValueTask<RetentionDecision> WithLockAsync(
        BackupRepository repository, RetentionDecision decision, CancellationToken cancellationToken)
    {
        if (decision.Keep || await repository.Snapshots.FindLockAsync(decision.Candidate.Id, cancellationToken) is not { } until) return decision;
        var when = until < DateTimeOffset.MaxValue ? $"locked until {Human.Moment(until)}" : "held by a legal hold";
        return decision with { Keep = true, LockedUntil = until, Reasons = [when, .. decision.Reasons] };
    }

    private static RetentionPolicy Policy(RetentionSettings settings) => new()
    {
        FullBackups = settings.FullBackups ?? 0,
        Last = settings.Snapshots ?? 0,
        Within = Longer(settings.KeepWithin, settings.Recordings is { } days ? TimeSpan.FromDays(days) : null),
        Hourly = settings.Hourly ?? 0,
        Daily = settings.Daily ?? 0,
        Weekly = settings.Weekly ?? 0,
        Monthly = settings.Monthly ?? 0,
        Yearly = settings.Yearly ?? 0,
    };

    private static TimeSpan? Longer(TimeSpan? a, TimeSpan? b) => a > b || b is null ? a : b;
}
