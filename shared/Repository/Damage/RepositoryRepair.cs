using System.Collections.Concurrent;
using System.Text;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Damage;

/// <summary>What a repair found and did.</summary>
/// <param name="Packs">Packs whose contents are in the new index.</param>
/// <param name="LostPacks">Packs that are missing or have unreadable parts, with what is wrong.</param>
/// <param name="Damage">What is lost; null: nothing.</param>
public sealed record RepairReport(int Packs, IReadOnlyList<string> LostPacks, DamageRecord? Damage)
{
    /// <summary>Names of records, pins and key slots that were lost or damaged, and put back from their copies.</summary>
    public IReadOnlyList<string> PutBack { get; init; } = [];

    /// <summary>Names of records and pins that are lost together with their copies: from now on they count as removed.</summary>
    public IReadOnlyList<string> LostRecords { get; init; } = [];
}

/// <summary>
/// Rebuilds the index from the packs alone, puts lost records back from their witnesses, and marks what is lost. No data is changed or removed: what is damaged is only left out of the
/// index, so that the next backup stores those chunks anew, which mends older recovery points too.
/// </summary>
public sealed class RepositoryRepair(BackupRepository repository)
{
    private const int ExamplePaths = 20;

    /// <summary>Repairs.</summary>
    /// <param name="readAll">Read every byte of every pack; otherwise only of packs that a verification found bad.</param>
    /// <param name="parallelism">Packs read at once.</param>
    /// <param name="cancellationToken">Stops; the old index stays in force.</param>
    public async ValueTask<RepairReport> RunAsync(bool readAll, int parallelism, CancellationToken cancellationToken)
    {
        var (putBack, lostRecords) = await repository.MendLostAsync(cancellationToken).ConfigureAwait(false);
        var superseded = await repository.Store.ListAsync(IndexFormat.Prefix, cancellationToken)
            .Where(i => IndexFormat.IsName(i.Name)).Select(i => i.Name).ToListAsync(cancellationToken).ConfigureAwait(false);
        var known = repository.Index.Packs().Select(p => p.Name).ToHashSet();
        var results = await new VerificationResults(repository.Store, repository.Sealed).LoadAsync(cancellationToken).ConfigureAwait(false);
        var suspects = results.Values.Where(r => !r.Good).Select(r => r.Pack).ToHashSet();
        var lost = new ConcurrentDictionary<string, string>();
        var packs = await ReadPacksAsync(readAll, suspects, known, lost, parallelism, cancellationToken).ConfigureAwait(false);
        await WriteIndexAsync(packs, superseded, cancellationToken).ConfigureAwait(false);
        foreach (var name in known) lost.TryAdd(name, $"{name} is missing.");
        var damage = await FindLossesAsync(lost, cancellationToken).ConfigureAwait(false);
        await new DamageRecords(repository.Store, repository.Sealed).ReplaceAsync(damage, cancellationToken).ConfigureAwait(false);
        return new RepairReport(packs.Count, [.. lost.Values.Order(StringComparer.Ordinal)], damage) { PutBack = putBack, LostRecords = lostRecords };
    }

    private async ValueTask<List<WrittenPack>> ReadPacksAsync(
        bool readAll, HashSet<string> suspects, HashSet<string> known, ConcurrentDictionary<string, string> lost, int parallelism,
        CancellationToken cancellationToken)
    {
        var packs = new ConcurrentBag<WrittenPack>();
        var seen = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(
            repository.Store.ListAsync(PackFormat.Prefix, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken },
            async (info, token) =>
            {
                seen.Add(info.Name);
                try
                {
                    packs.Add(readAll || suspects.Contains(info.Name)
                        ? await ReadGoodBlocksAsync(info, lost, token).ConfigureAwait(false)
                        : await PackReader.ReadDirectoryAsync(repository.Store, repository.Keys, info, token).ConfigureAwait(false));
                }
                catch (RepositoryException e) when (e is DamageException or NewerFormatException)
                {
                    lost.TryAdd(info.Name, e.Message); // a newer repository would not have opened: the version was changed
                }
            }).ConfigureAwait(false);
        known.ExceptWith(seen);
        return [.. packs.OrderBy(p => p.Info.Name, StringComparer.Ordinal)];
    }

    private async ValueTask<WrittenPack> ReadGoodBlocksAsync(ObjectInfo info, ConcurrentDictionary<string, string> lost, CancellationToken cancellationToken)
    {
        using var verifier = new PackVerifier(repository);
        var bad = new HashSet<PackBlock>();
        var pack = await verifier.VerifyAsync(info.Name, b => bad.Add(b), cancellationToken).ConfigureAwait(false);
        if (bad.Count > 0) lost.TryAdd(info.Name, $"{info.Name} has {bad.Count} damaged blocks of {pack.Blocks.Count}.");
        return pack with { Blocks = [.. pack.Blocks.Where(b => !bad.Contains(b))] };
    }

    /// <summary>Only the last segment supersedes the old ones: until it is there, the old index is in force.</summary>
    private async ValueTask WriteIndexAsync(List<WrittenPack> packs, List<string> superseded, CancellationToken cancellationToken)
    {
        var builder = new IndexSegmentBuilder();
        foreach (var pack in packs)
        {
            if (builder.EntryCount > IndexFormat.MaximumEntries / 2)
            {
                await repository.Index.AddSegmentAsync(builder, cancellationToken).ConfigureAwait(false);
                builder = new IndexSegmentBuilder();
            }

            builder.Add(pack);
        }

        builder.Supersedes.AddRange(superseded);
        await repository.Index.AddSegmentAsync(builder, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<DamageRecord?> FindLossesAsync(ConcurrentDictionary<string, string> lost, CancellationToken cancellationToken)
    {
        var damaged = new List<DamagedSnapshot>();
        var walker = new SnapshotWalker(repository.Fetcher);
        await foreach (var id in repository.Snapshots.ListIdsAsync(null, cancellationToken).ConfigureAwait(false))
        {
            Snapshot? snapshot;
            try
            {
                snapshot = await repository.Snapshots.FindAsync(id, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException)
            {
                damaged.Add(new DamagedSnapshot(id, -1, []));
                continue;
            }

            if (snapshot is null) continue;
            var catalogDamaged = false;
            var files = new HashSet<CatalogEntry>(ReferenceEqualityComparer.Instance);
            var whole = await walker.WalkAsync(
                snapshot,
                async (entry, item) =>
                {
                    if (await repository.Index.FindAsync(item.Id, cancellationToken).ConfigureAwait(false) is { } found && found.Length == item.PackedLength)
                        return true;
                    Note(entry);
                    return false;
                },
                (entry, _) => Note(entry), cancellationToken).ConfigureAwait(false);
            if (!whole)
                damaged.Add(new DamagedSnapshot(
                    id, catalogDamaged ? -1 : files.Count, [.. files.Take(ExamplePaths).Select(f => Encoding.UTF8.GetString(f.Path.Span))]));

            void Note(CatalogEntry? entry)
            {
                if (entry is null) catalogDamaged = true;
                else files.Add(entry);
            }
        }

        return damaged.Count == 0 ? null : new DamageRecord(repository.Time.GetUtcNow(), [.. lost.Keys.Order(StringComparer.Ordinal)], damaged);
    }
}
