using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>How a replica stands.</summary>
/// <param name="Replica">Its name.</param>
/// <param name="State">
/// <c>in_step</c>, <c>behind</c> (within what is allowed), <c>late</c>, <c>empty</c>, <c>foreign</c> (another repository), <c>damaged</c>
/// or <c>unreachable</c>.
/// </param>
/// <param name="Lag">By the listings of both sides; null: not known.</param>
/// <param name="Age">How long it has been behind.</param>
/// <param name="Reason">What is not well, with the mend; null: all is well.</param>
public sealed record ReplicaStanding(string Replica, string State, ReplicaLag? Lag, TimeSpan Age, string? Reason)
{
    public bool IsWell => Reason is null;

    /// <summary>Looks at one replica; records the lag in the metrics.</summary>
    public static async Task<ReplicaStanding> OfAsync(
        BackupSite site, BackupRepository repository, ReplicaSettings settings, CancellationToken cancellationToken)
    {
        var name = settings.Name;
        try
        {
            await using var store = StoreFactory.Create(settings, site.Secrets, site.Time);
            if (await store.FindAsync("config", cancellationToken) is null)
                return new ReplicaStanding(
                    name, "empty", null, TimeSpan.Zero,
                    $"Replica {name} holds no copy of the repository yet; run 'fbackup repository replicate {name}{Create(settings)}'.");
            var config = await RepositoryConfig.LoadAsync(store, cancellationToken);
            if (config.RepositoryId != repository.Id)
                return new ReplicaStanding(
                    name, "foreign", null, TimeSpan.Zero, $"Replica {name} holds another repository; check replication.replicas.");
            var lag = await ReplicaLag.MeasureAsync(repository.Store, store, cancellationToken);
            site.Metrics.RecordReplication(name, lag);
            return Judge(site, name, lag);
        }
        catch (Exception e) when (e is StoreException or RepositoryException or ConfigurationException)
        {
            var state = e is RepositoryException ? "damaged" : "unreachable";
            var why = ReplicaAccess.Explain(site.Configuration, name, Failures.Of(e), e);
            return new ReplicaStanding(name, state, null, TimeSpan.Zero, $"Replica {name}: {why.Sentence}");
        }
    }

    private static ReplicaStanding Judge(BackupSite site, string name, ReplicaLag lag)
    {
        var age = lag.Age(site.Time.GetUtcNow());
        var allowed = site.Configuration.MaximumLag;
        return (lag, age) switch
        {
            ({ Differing.Count: > 0 }, _) => new(
                name, "damaged", lag, age,
                $"{lag.Differing[0]} has different sizes in the repository and in replica {name}; run 'fbackup repository repair'."),
            _ when age > allowed => new(
                name, "late", lag, age,
                $"Replica {name} has been behind for {Human.Time(age)}, more than the {Human.Time(allowed)} that replication.max_lag allows; "
                + $"run 'fbackup repository replicate {name}'."),
            ({ MissingObjects: > 0 }, _) => new(name, "behind", lag, age, null),
            _ => new(name, "in_step", lag, age, null),
        };
    }

    private static string Create(ReplicaSettings settings) => settings.StorageBackend == "filesystem" ? " --create" : "";
}
