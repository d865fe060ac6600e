using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Operations.Objectives;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Standing;

/// <summary>How one component stands against its objectives.</summary>
public sealed record ComponentStanding(string Component, RecoveryObjective Objective)
{
    /// <summary>The newest recovery point that is not known to be damaged.</summary>
    public Snapshot? Newest { get; private init; }

    /// <summary>What would be lost if the source were lost now.</summary>
    public TimeSpan? Loss { get; private init; }

    /// <summary>Estimated time of a restore of <see cref="Newest"/>; see <see cref="RestoreEstimator"/>.</summary>
    public TimeSpan? Estimate { get; private init; }

    /// <summary>What it rests on, in words.</summary>
    public string? EstimateOrigin { get; private init; }

    /// <summary>What is not well: one sentence each, with the mend.</summary>
    public IReadOnlyList<string> Reasons { get; private init; } = [];

    /// <summary>Suspicious recovery points on which nobody has decided.</summary>
    public int Suspicious { get; private init; }

    public bool IsProtected { get; private init; }

    public bool IsRestorable { get; private init; }

    public bool WithinRpo => Loss <= Objective.Rpo;

    public bool WithinRto => Estimate <= Objective.Rto;

    public bool IsWell => Reasons.Count == 0;

    /// <summary>Ids of the recovery points that a repair found damaged.</summary>
    public static async ValueTask<IReadOnlySet<string>> FindDamagedAsync(BackupRepository repository, CancellationToken cancellationToken)
    {
        var records = await new DamageRecords(repository.Store, repository.Sealed).ListAsync(cancellationToken);
        return records.SelectMany(r => r.Snapshots).Select(s => s.Id).ToHashSet();
    }

    public static async ValueTask<ComponentStanding> OfAsync(
        BackupSite site, BackupRepository repository, string component, IReadOnlySet<string> damaged, CancellationToken cancellationToken)
    {
        var standing = new ComponentStanding(component, site.Configuration.Objectives.For(component));
        Snapshot? newest = null, sound = null;
        await foreach (var snapshot in repository.ListSnapshotsAsync(component, cancellationToken))
        {
            newest = snapshot;
            if (!damaged.Contains(snapshot.Id)) sound = snapshot;
        }

        if (newest is null) return standing with { Reasons = [$"{component} has no recovery point; take one with 'fbackup backup run --type {component}'."] };
        if (sound is null)
            return standing with { IsProtected = true,
                Reasons = [$"Every recovery point of {component} is damaged; take a new one with 'fbackup backup run --type {component} --full'."] };

        var reasons = new List<string>(await LostRecords.DescribeAsync(repository, component, cancellationToken));
        var open = (await CleanPoints.SuspicionsAsync(repository, component, cancellationToken)).Open(component);
        reasons.AddRange(open.Select(s => SuspicionCheck.Sentence(s.SnapshotId, s.Reasons)));
        if (sound != newest) reasons.Add($"{newest.Id} is damaged; take a new one with 'fbackup backup run --type {component}'.");
        if (sound.Warnings.Count > 0) reasons.Add($"{sound.Id} was taken with warnings; 'fbackup backup show {sound.Id}' shows them.");
        var (until, walBytes) = component == "postgres" && LogicalBackupDetails.FromJson(sound.Details) is { } logical ? (logical.Time, 0L)
            : component == "postgres" ? await WalAsync(site, repository, sound, reasons, cancellationToken)
            : (RedisBackupDetails.FromJson(sound.Details) is { } redis ? redis.Time : sound.StartedAt, 0L);
        var estimator = await RestoreEstimator.LoadAsync(repository, cancellationToken);
        standing = standing with
        {
            IsProtected = true,
            IsRestorable = true,
            Suspicious = open.Count,
            Newest = sound,
            Loss = TimeSpan.FromTicks(Math.Max(0, (site.Time.GetUtcNow() - until).Ticks)),
            Estimate = estimator.Files(sound.Statistics.Files, sound.Statistics.LogicalBytes, 0) + RestoreRates.Recovery(walBytes),
            EstimateOrigin = estimator.Origin,
        };
        if (!standing.WithinRpo)
            reasons.Add($"{component} would lose {Human.Time(standing.Loss.Value)} if it were lost now, and {Human.Time(standing.Objective.Rpo)} is the objective; take a recovery point, or more often.");
        if (!standing.WithinRto)
            reasons.Add($"{component} would take about {Human.Time(standing.Estimate.Value)} to restore, and {Human.Time(standing.Objective.Rto)} is the objective.");
        return standing with { Reasons = reasons };
    }

    /// <summary>
    /// Up to when the archived WAL leads, and how much of it there is to replay. Times in the WAL are those of its records, of which an idle
    /// database writes none: where the server says that it has written nothing beyond the archive, nothing would be lost now.
    /// </summary>
    private static async ValueTask<(DateTimeOffset Until, long Bytes)> WalAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, List<string> reasons, CancellationToken cancellationToken)
    {
        var details = PostgresBackupDetails.FromJson(snapshot.Details);
        // The server first: what it writes while the archive is looked through is not held against the archive.
        var askedAt = site.Time.GetUtcNow();
        var server = await AskServerAsync(site, cancellationToken);
        var window = await new WalArchive(repository, details.SystemIdentifier).FindWindowAsync(details, null, cancellationToken);
        if (window.Gap is { } gap) reasons.Add(
            $"{snapshot.Id} cannot reach the newest WAL: {gap} Take a new recovery point with 'fbackup backup run --type postgres'.");
        var until = new[] { window.KnownUntil, window.EndTime, details.StopTime }.Max()!.Value;
        if (server is not null && server.SystemIdentifier == details.SystemIdentifier && server.Timeline == window.Timeline
            && server.Flushed <= window.EndLsn && askedAt > until)
            until = askedAt;
        return (until, (long)Math.Max(0, window.EndLsn.Value - Lsn.Parse(details.StartLsn).Value));
    }

    /// <summary>Null if it cannot be told, as when the server is lost: then only what the archive says counts.</summary>
    private static async ValueTask<ServerPosition?> AskServerAsync(BackupSite site, CancellationToken cancellationToken)
    {
        if (site.Configuration.Postgres is not { } settings) return null;
        try
        {
            var connection = site.Secrets.Resolve(settings.Connection, "components.postgres.connection");
            return await ServerPosition.FindAsync(connection, cancellationToken);
        }
        catch (ConfigurationException)
        {
            return null;
        }
    }
}
