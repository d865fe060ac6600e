using FunctionsBackup.Components.Files.Subjects;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Erasure;

/// <summary>What is to be erased.</summary>
/// <param name="Subject">The data subject's name, as it stands in the paths.</param>
/// <param name="By">Who asks.</param>
/// <param name="Reference">What the request is called elsewhere; never the name.</param>
/// <param name="DryRun">Only look.</param>
public sealed record ErasureRequest(string Subject, string By, string? Reference, bool DryRun);

/// <summary>The certificate: what was destroyed where, what it makes unreadable, and what could not be reached.</summary>
public sealed record ErasureReport
{
    /// <summary>What stands for the subject in the repository and in the audit log: 32 hex digits.</summary>
    public required string Pseudonym { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Names of the key objects that the subject had.</summary>
    public required IReadOnlyList<string> Keys { get; init; }

    /// <summary>What recovery points hold of the subject.</summary>
    public required IReadOnlyList<SubjectHoldings> Holdings { get; init; }

    /// <summary>Recovery points that could not be looked through, with why.</summary>
    public IReadOnlyList<string> Unread { get; init; } = [];

    /// <summary>What became of the keys, in the repository first.</summary>
    public IReadOnlyList<StoreErasure> Stores { get; init; } = [];

    /// <summary>Replicas that could not be reached: they follow when they are replicated to.</summary>
    public IReadOnlyList<string> Pending { get; init; } = [];

    public long Files => Holdings.Sum(h => h.Files);

    /// <summary>Recovery points with files that were not sealed for the subject, which this does not reach.</summary>
    public IEnumerable<SubjectHoldings> Open => Holdings.Where(h => h.Open > 0);

    /// <summary>Whether nothing is left to do.</summary>
    public bool IsComplete => Pending.Count == 0 && Unread.Count == 0 && !Open.Any() && Stores.All(s => s.Remains.Count == 0);
}

/// <summary>
/// Makes what is kept of a data subject unreadable in the repository and its replicas, by destroying its keys. May be done again: what is done
/// stays done, and what was pending is tried.
/// </summary>
public static class ErasureRun
{
    /// <exception cref="RepositoryException">The repository cannot be read, or a key of the subject is damaged.</exception>
    public static async ValueTask<ErasureReport> RunAsync(BackupSite site, ErasureRequest request, CancellationToken cancellationToken)
    {
        site.RequireKeys("Erasure");
        await using var lease = await site.Repositories.RentAsync("erasure", cancellationToken);
        var repository = lease.Repository;
        var at = site.Time.GetUtcNow();
        var replicas = new List<(string Name, IObjectStore Store)>();
        List<StoreErasure> stores = [];
        List<string> pending = [];
        try
        {
            await ReachAsync(site, replicas, pending, cancellationToken);
            // Also those that the repository has lost and a replica would give back to it.
            var keys = await repository.Subjects.ListAsync(request.Subject, [.. replicas.Select(r => r.Store)], cancellationToken);
            if (!request.DryRun && keys.Count > 0)
            {
                // Before anything is counted: from here on nobody uses the keys.
                var erasure = new SubjectErasure(repository);
                stores.Add(await erasure.EraseAsync(keys, new Tombstone(at, request.By, request.Reference), cancellationToken));
                await FollowAsync(erasure, keys, replicas, stores, pending, cancellationToken);
            }

            return await ReportAsync(site, repository, request, at, keys, stores, pending, cancellationToken);
        }
        finally
        {
            foreach (var (_, store) in replicas) await store.DisposeAsync();
        }
    }

    private static async ValueTask<ErasureReport> ReportAsync(
        BackupSite site, BackupRepository repository, ErasureRequest request, DateTimeOffset at, IReadOnlyList<SubjectRef> keys, List<StoreErasure> stores,
        List<string> pending, CancellationToken cancellationToken)
    {
        var (holdings, unread) = await ScanAsync(site, repository, request.Subject, cancellationToken);
        return new ErasureReport
        {
            Pseudonym = Text(repository.Subjects.PseudonymOf(request.Subject)),
            At = at,
            Keys = [.. keys.Select(k => k.KeyName)],
            Holdings = holdings,
            Unread = unread,
            Stores = stores,
            Pending = pending,
        };
    }

    /// <summary>Opens the replicas that can be reached now.</summary>
    private static async ValueTask ReachAsync(
        BackupSite site, List<(string Name, IObjectStore Store)> replicas, List<string> pending, CancellationToken cancellationToken)
    {
        foreach (var settings in site.Configuration.Replicas)
        {
            IObjectStore? replica = null;
            try
            {
                replica = StoreFactory.Create(settings, site.Secrets, site.Time);
                if (await replica.FindAsync("config", cancellationToken) is not null)
                {
                    replicas.Add((settings.Name, replica));
                    continue;
                }

                pending.Add($"Replica {settings.Name} holds no repository now; is its disk mounted?");
            }
            catch (Exception e) when (e is StoreException or ConfigurationException)
            {
                pending.Add(Unreached(settings.Name, e));
            }

            if (replica is not null) await replica.DisposeAsync();
        }
    }

    private static async ValueTask FollowAsync(
        SubjectErasure erasure, IReadOnlyList<SubjectRef> keys, List<(string Name, IObjectStore Store)> replicas, List<StoreErasure> stores,
        List<string> pending, CancellationToken cancellationToken)
    {
        foreach (var (name, replica) in replicas)
        {
            try
            {
                stores.Add(await erasure.FollowAsync(replica, keys, cancellationToken));
            }
            catch (Exception e) when (e is StoreException or RepositoryException)
            {
                pending.Add(Unreached(name, e));
            }
        }
    }

    private static string Unreached(string name, Exception e) =>
        $"Replica {name} could not be reached, and follows when it is replicated to: {e.Message}";

    private static async ValueTask<(List<SubjectHoldings> Holdings, List<string> Unread)> ScanAsync(
        BackupSite site, BackupRepository repository, string subject, CancellationToken cancellationToken)
    {
        List<SubjectHoldings> holdings = [];
        List<string> unread = [];
        await foreach (var id in repository.Snapshots.ListIdsAsync(null, cancellationToken))
        {
            try
            {
                if (await repository.Snapshots.FindAsync(id, cancellationToken) is not { } snapshot || snapshot.Component == "postgres") continue;
                var patterns = site.Configuration.Files(snapshot.Component)?.Subjects ?? [];
                var its = await SubjectScan.RunAsync(repository, snapshot, subject, patterns, cancellationToken);
                if (its.Files > 0 || its.Open > 0) holdings.Add(its);
            }
            catch (DamageException e)
            {
                unread.Add($"{id}: {e.Message}");
            }
        }

        return (holdings, unread);
    }

    private static string Text(UInt128 pseudonym) => new SubjectRef(pseudonym, 1).PseudonymText;
}
