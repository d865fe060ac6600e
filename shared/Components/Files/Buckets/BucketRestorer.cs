using System.Buffers;
using System.Text;
using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>How objects are restored to a bucket.</summary>
/// <param name="Prefix">Before every key; empty, or ends with <c>/</c>.</param>
public sealed record BucketRestoreOptions(string Prefix)
{
    /// <summary>If not empty, only what matches, or lies in a directory that does.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Replace objects that are there.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Objects that are written at once.</summary>
    public int Parallelism { get; init; } = 2;
}

/// <summary>
/// Writes files of a recovery point, of a bucket or of a folder, as objects to a bucket of either kind. With one root, what it holds goes below the prefix,
/// with several each below its name. Links, special files and empty directories have no place there.
/// </summary>
public sealed class BucketRestorer(BackupRepository repository, TimeProvider time)
{
    /// <summary>Bytes of a part: services want 5 MiB at least, and take 10,000 parts at most.</summary>
    private const int PartSize = 8 << 20;
    private const int MaximumParts = 9_000;

    /// <exception cref="RestoreRefusedException">Something is there already, or nothing matches.</exception>
    /// <exception cref="DamageException">The catalog is damaged, so that nobody knows what follows.</exception>
    /// <exception cref="Storage.StoreException">The bucket cannot be written to; what was written stays.</exception>
    public async ValueTask<TreeRestoreReport> RestoreAsync(
        Snapshot snapshot, IReadOnlyCollection<string> roots, IBucket bucket, BucketRestoreOptions options, IProgress<WorkProgress>? progress,
        CancellationToken cancellationToken)
    {
        var include = GlobSet.Parse(options.Include);
        var run = new Run(repository, bucket, options, new ProgressMeter(progress, time, snapshot.Statistics.Files, snapshot.Statistics.LogicalBytes));
        var several = roots.Count > 1;
        await Parallel.ForEachAsync(
            repository.ReadCatalogAsync(snapshot, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.Parallelism), CancellationToken = cancellationToken },
            async (entry, token) =>
            {
                if (KeyOf(entry, several, out var relative) is not { } key) return;
                if (!include.IsEmpty && !IsIncluded(include, relative.Span)) return;
                if (entry.Kind == EntryKind.Directory) return;
                if (entry.Kind != EntryKind.File) run.LeaveOut(entry);
                else await run.RestoreAsync(entry, options.Prefix + key, token).ConfigureAwait(false);
            }).ConfigureAwait(false);
        return run.Report(snapshot, options.Include.Count > 0);
    }

    /// <summary>Null: it is a root itself.</summary>
    private static string? KeyOf(CatalogEntry entry, bool several, out ReadOnlyMemory<byte> relative)
    {
        var slash = entry.Path.Span.IndexOf((byte)'/');
        relative = slash < 0 ? (entry.Kind == EntryKind.Directory ? default : entry.Path) : entry.Path[(slash + 1)..];
        if (relative.IsEmpty) return null;
        var root = several && slash >= 0 ? Encoding.UTF8.GetString(entry.Path.Span[..slash]) + "/" : "";
        if (BucketFacts.Of(entry)?.Key is not { } key) return root + Encoding.UTF8.GetString(relative.Span);
        relative = Encoding.UTF8.GetBytes(key);
        return root + key;
    }

    private static bool IsIncluded(GlobSet globs, ReadOnlySpan<byte> path)
    {
        for (var at = 1; at < path.Length; at++)
            if (path[at] == '/' && globs.IsMatch(path[..at], isDirectory: true)) return true;
        return globs.IsMatch(path, isDirectory: false);
    }

    /// <summary>One restore. Safe for concurrent use.</summary>
    private sealed class Run(BackupRepository repository, IBucket bucket, BucketRestoreOptions options, ProgressMeter meter)
    {
        private readonly WarningList _warnings = new();
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _damaged = new();
        private long _files, _bytes, _erased, _leftOut;

        public void LeaveOut(CatalogEntry entry)
        {
            if (entry.Kind != EntryKind.Directory) Interlocked.Increment(ref _leftOut);
        }

        public async ValueTask RestoreAsync(CatalogEntry entry, string key, CancellationToken cancellationToken)
        {
            var subject = default(SubjectKey);
            try
            {
                if (entry.Subject is { } reference)
                {
                    var found = await repository.Subjects.FindAsync(reference, cancellationToken).ConfigureAwait(false);
                    if (found.ErasedAt is not null)
                    {
                        Interlocked.Increment(ref _erased);
                        return;
                    }

                    subject = found.Key ?? throw new DamageException(reference.KeyName, $"{reference.KeyName} is missing.");
                }

                if (!options.Overwrite && await bucket.FindAsync(key, cancellationToken).ConfigureAwait(false) is not null)
                    throw new RestoreRefusedException($"{key} is in {bucket.Description} already; restore below another prefix, or allow it with --overwrite.");
                await WriteAsync(entry, key, subject, cancellationToken).ConfigureAwait(false);
                Interlocked.Increment(ref _files);
                Interlocked.Add(ref _bytes, entry.Content!.Size);
                meter.AddFile();
            }
            catch (DamageException)
            {
                _damaged.Enqueue(ByteName.Display(entry.Path.Span));
            }
        }

        public TreeRestoreReport Report(Snapshot snapshot, bool some)
        {
            meter.Report();
            if (_files == 0 && _damaged.IsEmpty && _erased == 0 && some)
                throw new RestoreRefusedException($"Nothing in {snapshot.Id} matches the globs; list what it holds and correct them.");
            if (_leftOut > 0) _warnings.Add($"{_leftOut} links and special files were left out: a bucket has no place for them.");
            if (_erased > 0)
                _warnings.Add($"{_erased} files are of data subjects that were erased; nobody can read them any more, and they were left out.");
            return new TreeRestoreReport(_files, _bytes, _bytes, _warnings.ToList(), [.. _damaged.Order(StringComparer.Ordinal)]);
        }

        private async ValueTask WriteAsync(CatalogEntry entry, string key, SubjectKey? subject, CancellationToken cancellationToken)
        {
            var content = entry.Content!;
            var properties = BucketFacts.Of(entry)?.Properties ?? new BucketProperties { ContentType = ContentTypes.Of(key) };
            var size = (int)Math.Min(content.Size, Math.Max(PartSize, content.Size / MaximumParts));
            var buffer = ArrayPool<byte>.Shared.Rent(size + ContentLimits.MaximumChunkSize);
            IBucketUpload? upload = null;
            try
            {
                var (requests, filled, written) = (new List<ChunkRequest>(), 0, 0L);
                await foreach (var item in repository.ReadItemsAsync(content, cancellationToken).ConfigureAwait(false))
                {
                    for (var left = item.Length; left > 0;)
                    {
                        // A hole is cut where a part ends; a chunk may go beyond it.
                        var length = item.IsHole ? (int)Math.Min(left, size - filled) : (int)item.Length;
                        if (item.IsHole) buffer.AsSpan(filled, length).Clear();
                        else requests.Add(new ChunkRequest(item.Id, length, 0, filled, item.Sealed));
                        filled += length;
                        left -= length;
                        if (filled < size || written + filled == content.Size) continue;
                        await FetchAsync(requests, buffer, subject, cancellationToken).ConfigureAwait(false);
                        upload ??= await bucket.BeginAsync(key, properties, cancellationToken).ConfigureAwait(false);
                        await upload.AddAsync(buffer.AsMemory(0, filled), cancellationToken).ConfigureAwait(false);
                        written += filled;
                        filled = 0;
                    }
                }

                if (written + filled != content.Size) throw new DamageException("catalog", "A content's items do not add up to its size.");
                await FetchAsync(requests, buffer, subject, cancellationToken).ConfigureAwait(false);
                if (upload is null)
                {
                    await bucket.PutAsync(key, properties, buffer.AsMemory(0, filled), cancellationToken).ConfigureAwait(false);
                    return;
                }

                if (filled > 0) await upload.AddAsync(buffer.AsMemory(0, filled), cancellationToken).ConfigureAwait(false);
                await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (upload is not null) await upload.DisposeAsync().ConfigureAwait(false);
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        private async ValueTask FetchAsync(List<ChunkRequest> requests, byte[] buffer, SubjectKey? subject, CancellationToken cancellationToken)
        {
            if (requests.Count == 0) return;
            await repository.ReadChunksAsync(
                requests, 2,
                (request, bytes, _) =>
                {
                    var target = buffer.AsMemory((int)request.Offset, request.Length);
                    if (subject is null) bytes.CopyTo(target);
                    else repository.OpenSealed(subject, bytes.Span, request.Length, plain => plain.CopyTo(target));
                    meter.AddBytes(request.Length);
                    return ValueTask.CompletedTask;
                },
                null, cancellationToken).ConfigureAwait(false);
            requests.Clear();
        }
    }
}
