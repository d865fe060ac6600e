using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>What healing the repository and its replicas from each other came to.</summary>
/// <param name="Healed">Objects that were put back.</param>
/// <param name="Unhealed">Objects of which no copy is whole.</param>
/// <param name="Skipped">Replicas that were not looked at, and why: one sentence each.</param>
public sealed record HealingOutcome(
    IReadOnlyList<HealedObject> Healed, IReadOnlyList<UnhealedObject> Unhealed, IReadOnlyList<string> Skipped);

/// <summary>Heals the repository and each of its replicas from each other, and leaves an entry in the audit log for each of them.</summary>
public static class RepositoryHealing
{
    /// <param name="site">The site.</param>
    /// <param name="readAll">Read every byte of all packs and all WAL on both sides.</param>
    /// <param name="cancellationToken">Stops between two objects.</param>
    /// <exception cref="RepositoryException">Neither side opens, or an object could not be put back; what was healed so far stays healed.</exception>
    public static async Task<HealingOutcome> RunAsync(BackupSite site, bool readAll, CancellationToken cancellationToken)
    {
        List<HealedObject> healed = [];
        List<UnhealedObject> unhealed = [];
        List<string> skipped = [];
        foreach (var settings in site.Configuration.Replicas)
        {
            await using var primary = RepositoryAccess.CreateStore(site);
            await using var replica = StoreFactory.Create(settings, site.Secrets, site.Time);
            if (await UnreachedAsync(replica, settings, cancellationToken) is { } why)
            {
                skipped.Add(why);
                continue;
            }

            var its = new List<HealedObject>();
            try
            {
                var (keys, keyObjects) = await KeyHealing.HealAsync(
                    primary, replica, store => RepositoryAccess.UnlockAsync(site, store, cancellationToken), cancellationToken);
                its.AddRange(keyObjects);
                using (keys)
                {
                    var options = new HealingOptions { ReadAll = readAll, Parallelism = site.Parallelism, NeededStreams = ReplicaStreams.NeededAsync };
                    var report = await new ReplicaHealing(keys, primary, replica, options, site.Time).RunAsync(cancellationToken);
                    its.AddRange(report.Healed);
                    unhealed.AddRange(report.Unhealed);
                    await RecordAsync(site, settings, its, report.Unhealed, null);
                }
            }
            catch (RepositoryException e)
            {
                await RecordAsync(site, settings, its, [], e.Message);
                throw;
            }

            healed.AddRange(its);
        }

        // What another replica could heal is healed.
        var mended = healed.Select(h => (h.Store, h.Name)).ToHashSet();
        return new HealingOutcome(healed, [.. unhealed.Where(u => !mended.Contains((u.Store, u.Name)))], skipped);
    }

    private static async ValueTask<string?> UnreachedAsync(IObjectStore replica, ReplicaSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            return await replica.FindAsync("config", cancellationToken) is null && !await replica.ListAsync("", cancellationToken).AnyAsync(cancellationToken)
                ? $"Replica {settings.Name} is empty; 'fbackup repository replicate {settings.Name}' begins it."
                : null;
        }
        catch (StoreException e)
        {
            return $"Replica {settings.Name} could not be looked at: {e.Message}";
        }
    }

    private static async ValueTask RecordAsync(
        BackupSite site, ReplicaSettings settings, List<HealedObject> healed, IReadOnlyList<UnhealedObject> unhealed, string? error)
    {
        if (healed.Count == 0 && unhealed.Count == 0 && error is null) return;
        await site.Audit.RecordAsync(
            new AuditEntry
            {
                Action = AuditActions.RepositoryHeal,
                Outcome = error is not null ? AuditOutcome.Failed : unhealed.Count > 0 ? AuditOutcome.Warnings : AuditOutcome.Done,
                Target = settings.Name,
                Error = error,
                Facts = new Dictionary<string, string>
                {
                    ["healed"] = healed.Count.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    ["unhealed"] = unhealed.Count.ToString(System.Globalization.CultureInfo.InvariantCulture),
                },
                Items =
                [
                    .. healed.Select(h => new AuditItem(h.Name, "healed", $"In {h.Store}: {h.Problem}; read from {h.From}.")),
                    .. unhealed.Select(u => new AuditItem(u.Name, "damaged", u.Problem)),
                ],
            });
    }
}
