using System.Collections.Concurrent;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Repository.Verification;

/// <summary>Checks that what was written is there and is what was written, and says what a defect touches.</summary>
public sealed class RepositoryVerifier(BackupRepository repository)
{
    private const string Mend = "fbackup repository repair";

    private readonly ConcurrentDictionary<string, string> _badPacks = new();
    private readonly List<Defect> _defects = [];
    private readonly List<string> _notes = [];
    private readonly List<(WrongEntries Entries, HashSet<string> Touched)> _wrongEntries = [];
    private readonly Dictionary<ChunkId, HashSet<string>> _wrong = [];

    /// <summary>Verifies. Defects are in the report; only trouble with the store itself is thrown.</summary>
    /// <param name="options">What and how thoroughly.</param>
    /// <param name="progress">Packs read so far and in all.</param>
    /// <param name="cancellationToken">Stops; results so far are kept.</param>
    public async ValueTask<VerificationReport> RunAsync(
        VerificationOptions options, IProgress<(int Done, int Total)>? progress, CancellationToken cancellationToken)
    {
        var startedAt = repository.Time.GetUtcNow();
        var snapshots = await ReadSnapshotsAsync(options, cancellationToken).ConfigureAwait(false);
        var packs = repository.Index.Packs().ToDictionary(p => p.Name);
        if (options.SnapshotIds.Count > 0) packs = await NeededPacksAsync(snapshots, cancellationToken).ConfigureAwait(false);
        await CheckIndexAsync(options, snapshots, cancellationToken).ConfigureAwait(false);
        await CheckRecordsAsync(options, cancellationToken).ConfigureAwait(false);
        var unreferenced = await CompareListingAsync(packs, options.SnapshotIds.Count > 0, cancellationToken).ConfigureAwait(false);
        var (read, bytes) = options.Level == VerificationLevel.Quick
            ? (0, 0L)
            : await ReadPacksAsync(options, packs, progress, cancellationToken).ConfigureAwait(false);
        // With ids, which packs are needed is known from a walk anyway: what it finds lost is a finding too.
        if (options.Level != VerificationLevel.Quick || options.SnapshotIds.Count > 0 || !_badPacks.IsEmpty || repository.Index.Damaged.Count > 0)
            await WalkAsync(snapshots, cancellationToken).ConfigureAwait(false);
        return new VerificationReport(
            options.Level, startedAt, repository.Time.GetUtcNow(), snapshots.Count, packs.Count, read, bytes, unreferenced, _defects)
        {
            Notes = _notes,
        };
    }

    private async ValueTask<List<Snapshot>> ReadSnapshotsAsync(VerificationOptions options, CancellationToken cancellationToken)
    {
        var snapshots = new List<Snapshot>();
        await foreach (var id in repository.Snapshots.ListIdsAsync(null, cancellationToken).ConfigureAwait(false))
        {
            if (options.SnapshotIds.Count > 0 && !options.SnapshotIds.Contains(id)) continue;
            try
            {
                if (await repository.Snapshots.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } snapshot) snapshots.Add(snapshot);
            }
            catch (DamageException e)
            {
                _defects.Add(new Defect(e.ObjectName, e.Message, [id], Mend));
            }
        }

        return snapshots;
    }

    /// <summary>Without an index segment, any recovery point may lack chunks.</summary>
    private async ValueTask CheckIndexAsync(VerificationOptions options, List<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        var damages = repository.Index.Damaged.ToList();
        if (options.Level == VerificationLevel.Full)
            foreach (var segment in repository.Index.Segments.Where(s => damages.TrueForAll(d => d.ObjectName != s.Name)))
                if (await IndexCheck.FindDamageAsync(repository.Store, segment.Name, cancellationToken).ConfigureAwait(false) is { } damage)
                    damages.Add(damage);
        foreach (var damage in damages)
            _defects.Add(new Defect(damage.ObjectName, damage.Message, [.. snapshots.Select(s => s.Id)], Mend));
    }

    /// <summary>Keys and records that no recovery point needs to be read, but somebody will need one day.</summary>
    private async ValueTask CheckRecordsAsync(VerificationOptions options, CancellationToken cancellationToken)
    {
        var records = new RecordVerification(repository);
        _defects.AddRange(await records.FindLostAsync(cancellationToken).ConfigureAwait(false));
        if (options.Level != VerificationLevel.Full || options.SnapshotIds.Count > 0) return;
        _defects.AddRange(await records.FindDamageAsync(cancellationToken).ConfigureAwait(false));
        _notes.AddRange(await records.FindUnwitnessedAsync(cancellationToken).ConfigureAwait(false));
    }

    private async ValueTask<Dictionary<string, PackInfo>> NeededPacksAsync(List<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        var needed = new Dictionary<string, PackInfo>();
        var walker = new SnapshotWalker(repository.Fetcher);
        foreach (var snapshot in snapshots)
            await walker.WalkAsync(
                snapshot,
                async (_, item) =>
                {
                    if (await repository.Index.FindAsync(item.Id, cancellationToken).ConfigureAwait(false) is not { } location) return false;
                    needed.TryAdd(location.Pack.Name, location.Pack);
                    return true;
                },
                (_, _) => { }, cancellationToken).ConfigureAwait(false);
        return needed;
    }

    private async ValueTask<int> CompareListingAsync(Dictionary<string, PackInfo> packs, bool partly, CancellationToken cancellationToken)
    {
        var missing = packs.Keys.ToHashSet();
        var unreferenced = 0;
        await foreach (var info in repository.Store.ListAsync(PackFormat.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!packs.TryGetValue(info.Name, out var pack))
            {
                if (!partly) unreferenced++;
                continue;
            }

            missing.Remove(info.Name);
            if (info.Size != pack.Size)
                _badPacks.TryAdd(info.Name, $"{info.Name} is damaged: it has {info.Size} bytes instead of {pack.Size}.");
        }

        foreach (var name in missing) _badPacks.TryAdd(name, $"{name} is missing.");
        return unreferenced;
    }

    private async ValueTask<(int Packs, long Bytes)> ReadPacksAsync(
        VerificationOptions options, Dictionary<string, PackInfo> packs, IProgress<(int Done, int Total)>? progress, CancellationToken cancellationToken)
    {
        var store = new VerificationResults(repository.Store, repository.Sealed);
        var known = await store.LoadAsync(cancellationToken).ConfigureAwait(false);
        var order = packs.Values.Where(p => !_badPacks.ContainsKey(p.Name))
            .OrderBy(p => known.TryGetValue(p.Name, out var r) ? r.At : DateTimeOffset.MinValue).ThenBy(p => p.Name, StringComparer.Ordinal).ToList();
        var count = options.Level == VerificationLevel.Full
            ? order.Count
            : Math.Min(order.Count, (int)Math.Ceiling(packs.Count * Math.Clamp(options.SamplePercent, 0, 100) / 100));
        var results = new ConcurrentBag<PackResult>();
        var comparison = options.Level == VerificationLevel.Full ? new IndexComparison(repository.Index) : null;
        var queue = new ConcurrentQueue<PackInfo>(order.Take(count));
        int done = 0;
        long bytes = 0;
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Math.Max(1, Math.Min(options.Parallelism, count))).Select(_ => Task.Run(async () =>
            {
                using var verifier = new PackVerifier(repository);
                while (!cancellationToken.IsCancellationRequested && queue.TryDequeue(out var pack))
                {
                    var good = await IsGoodAsync(verifier, comparison, pack.Name, cancellationToken).ConfigureAwait(false);
                    results.Add(new PackResult(pack.Name, repository.Time.GetUtcNow(), good));
                    Interlocked.Add(ref bytes, pack.Size);
                    var number = Interlocked.Increment(ref done);
                    progress?.Report((number, count));
                }
            }, cancellationToken))).ConfigureAwait(false);
        }
        finally
        {
            // Also when interrupted: the next run goes on where this one stopped. Packs that are gone are forgotten.
            foreach (var result in results) known[result.Pack] = result;
            foreach (var bad in _badPacks.Keys) known[bad] = new PackResult(bad, repository.Time.GetUtcNow(), false);
            var indexed = repository.Index.Packs().Select(p => p.Name).ToHashSet();
            if (!results.IsEmpty || !_badPacks.IsEmpty)
                await store.SaveAsync([.. known.Values.Where(r => indexed.Contains(r.Pack))], CancellationToken.None).ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (comparison is not null) await CompareIndexAsync(comparison, [.. results.Where(r => r.Good).Select(r => r.Pack)], cancellationToken).ConfigureAwait(false);
        return (done, bytes);
    }

    private async ValueTask CompareIndexAsync(IndexComparison comparison, HashSet<string> packs, CancellationToken cancellationToken)
    {
        await foreach (var wrong in comparison.FindWrongAsync(repository, packs, cancellationToken).ConfigureAwait(false))
        {
            var touched = new HashSet<string>(); // filled by the walk
            foreach (var chunk in wrong.Chunks) _wrong.TryAdd(chunk, touched);
            _wrongEntries.Add((wrong, touched));
        }

        if (comparison.Unnamed > 0)
            _notes.Add($"{comparison.Unnamed} chunks lie in packs and the index does not name them; no recovery point uses them.");
    }

    private async ValueTask<bool> IsGoodAsync(PackVerifier verifier, IndexComparison? comparison, string name, CancellationToken cancellationToken)
    {
        try
        {
            var pack = await verifier.VerifyAsync(name, null, cancellationToken).ConfigureAwait(false);
            if (comparison is not null) await comparison.AddAsync(pack, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (DamageException e)
        {
            _badPacks.TryAdd(name, e.Message);
            return false;
        }
    }

    /// <summary>Finds what the bad packs touch, and chunks that no index names.</summary>
    private async ValueTask WalkAsync(List<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        var touched = _badPacks.Keys.ToDictionary(name => name, _ => new List<string>());
        var walker = new SnapshotWalker(repository.Fetcher);
        var keys = new SubjectVerification(repository);
        foreach (var snapshot in snapshots)
        {
            var lost = 0;
            var bad = new HashSet<string>();
            var keyless = new HashSet<SubjectRef>();
            DamageException? damage = null;
            await walker.WalkAsync(
                snapshot,
                async (entry, item) =>
                {
                    if (entry?.Subject is { } subject && !await keys.HasAsync(subject, cancellationToken).ConfigureAwait(false)) keyless.Add(subject);
                    if (_wrong.TryGetValue(item.Id, out var wrong))
                    {
                        wrong.Add(snapshot.Id);
                        return false;
                    }

                    if (await repository.Index.FindAsync(item.Id, cancellationToken).ConfigureAwait(false) is not { } location || location.Length != item.PackedLength)
                    {
                        lost++;
                        return false;
                    }

                    if (!_badPacks.ContainsKey(location.Pack.Name)) return true;
                    bad.Add(location.Pack.Name);
                    return false;
                },
                (_, e) => damage ??= e, cancellationToken).ConfigureAwait(false);
            foreach (var subject in keyless) keys.Note(subject, snapshot.Id);
            foreach (var name in bad) touched[name].Add(snapshot.Id);
            if (lost > 0)
                _defects.Add(new Defect($"snapshots/{snapshot.Id}", $"{lost} chunks of recovery point {snapshot.Id} are in no pack.", [snapshot.Id], Mend));
            if (damage is not null && bad.Count == 0) _defects.Add(new Defect(damage.ObjectName, damage.Message, [snapshot.Id], Mend));
        }

        _defects.AddRange(keys.Defects);
        foreach (var (entries, its) in _wrongEntries)
            _defects.Add(new Defect(
                entries.Segment,
                $"{entries.Segment} is wrong about {entries.Chunks.Count} chunks: {entries.Pack} does not have them where it says.", [.. its], Mend));
        foreach (var (name, problem) in _badPacks.OrderBy(p => p.Key, StringComparer.Ordinal))
            _defects.Add(new Defect(name, problem, touched[name], Mend));
    }
}
