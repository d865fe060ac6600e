using System.Runtime.CompilerServices;
using System.Text;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Files.Subjects;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>
/// Backs up the objects of a bucket: list → sort → compare with the recovery point before → read what changed, several at once → write the catalog in
/// order. Memory is bounded by how many objects wait for one that takes long.
/// </summary>
internal sealed class BucketPipeline(
    BackupSession session, ParentCatalog parent, WarningList warnings, ProgressMeter meter, SubjectTags tags, FilesBackupOptions options)
{
    /// <summary>Objects that may wait for their turn in the catalog.</summary>
    private const int Window = 4096;

    /// <summary>How often an object is looked at again that changed while it was read.</summary>
    private const int Attempts = 3;

    private readonly GlobSet _include = GlobSet.Parse(options.Include), _exclude = GlobSet.Parse(options.Exclude);
    private readonly Queue<Task<CatalogEntry?>> _pending = new();
    private long _read;
    private volatile StoreException? _refused;

    /// <summary>Objects taken over without reading them.</summary>
    public long Unchanged { get; private set; }

    /// <summary>Objects left out by the globs.</summary>
    public long Excluded { get; private set; }

    /// <param name="name">The bucket's name in the catalog.</param>
    /// <param name="bucket">Where the objects are.</param>
    /// <param name="startedAt">Time of the entry of the bucket itself.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask RunAsync(string name, IBucket bucket, DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        var root = ByteName.Parse(name);
        using var paths = new BucketSorter();
        using var others = new BucketSorter();
        await foreach (var item in ListAsync(bucket, cancellationToken).ConfigureAwait(false))
        {
            if (!IsIncluded(item.Key)) continue;
            if (BucketKey.PathOf(root, item.Key) is { } path) paths.Add(new SortedItem(path, item));
            else others.Add(new SortedItem(BucketKey.HashedPathOf(root, item.Key), item));
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var readers = new SemaphoreSlim(Math.Max(1, options.Parallelism));
        try
        {
            await parent.FindAsync(root).ConfigureAwait(false);
            await session.Catalog.AddAsync(
                new CatalogEntry { Path = root, Kind = EntryKind.Directory, Mode = 0b111_101_101, ModifiedNanoseconds = Nanoseconds(startedAt) }, cancellationToken)
                .ConfigureAwait(false);
            foreach (var item in Apart(root, paths.Read(), others)) await AddAsync(bucket, item, null, readers, stop.Token).ConfigureAwait(false);
            foreach (var item in others.Read()) await AddAsync(bucket, item, item.Item.Key, readers, stop.Token).ConfigureAwait(false);
            while (_pending.Count > 0) await WriteFirstAsync(cancellationToken).ConfigureAwait(false);
            // A bucket that lets nothing be read must not look like an empty one.
            if (_refused is { } refused && _read == 0 && Unchanged == 0) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(refused);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(_pending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A bucket that is not there is not waited for: a person has named another, or removed it.</summary>
    private static async IAsyncEnumerable<BucketItem> ListAsync(IBucket bucket, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var items = bucket.ListAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync().ConfigureAwait(false)) yield break;
            }
            catch (StoreUnavailableException e)
            {
                throw new StoreAccessException(e.Message, e);
            }

            yield return items.Current;
        }
    }

    /// <summary>Objects below whose key others lie cannot be files in a tree: they go to the others.</summary>
    private static IEnumerable<SortedItem> Apart(byte[] root, IEnumerable<SortedItem> items, BucketSorter others)
    {
        SortedItem? held = null;
        foreach (var item in items)
        {
            if (held is not null)
            {
                if (item.Path.Length > held.Path.Length && item.Path[held.Path.Length] == '/' && item.Path.AsSpan().StartsWith(held.Path))
                    others.Add(held with { Path = BucketKey.HashedPathOf(root, held.Item.Key) });
                else
                    yield return held;
            }

            held = item;
        }

        if (held is not null) yield return held;
    }

    private bool IsIncluded(string key)
    {
        var path = Encoding.UTF8.GetBytes(key);
        if (Matches(_exclude, path) || (!_include.IsEmpty && !Matches(_include, path)))
        {
            Excluded++;
            return false;
        }

        return true;
    }

    /// <summary>As for files: what lies in a directory that matches, matches.</summary>
    private static bool Matches(GlobSet globs, byte[] path)
    {
        if (globs.IsEmpty) return false;
        for (var at = 0; at < path.Length; at++)
            if (path[at] == '/' && at > 0 && globs.IsMatch(path.AsSpan(0, at), isDirectory: true)) return true;
        return globs.IsMatch(path, isDirectory: false);
    }

    private async ValueTask AddAsync(IBucket bucket, SortedItem sorted, string? key, SemaphoreSlim readers, CancellationToken cancellationToken)
    {
        var (path, item) = sorted;
        var before = await parent.FindAsync(path).ConfigureAwait(false);
        var tag = await tags.FindAsync(path, Nanoseconds(item.LastModified), cancellationToken).ConfigureAwait(false);
        if (tag.IsErased) return;
        if (before?.Subject != tag.Key?.Reference) before = null;
        if (!options.Full && before is not null && IsUnchanged(before, item))
        {
            Unchanged++;
            meter.AddBytes(item.Size);
            _pending.Enqueue(Task.FromResult<CatalogEntry?>(before with { Path = path }));
        }
        else
        {
            await readers.WaitAsync(cancellationToken).ConfigureAwait(false);
            _pending.Enqueue(Task.Run(
                async () =>
                {
                    try
                    {
                        return await ReadAsync(bucket, path, item, key, before?.Content, tag.Key, cancellationToken).ConfigureAwait(false);
                    }
                    finally
                    {
                        readers.Release();
                    }
                },
                CancellationToken.None));
        }

        while (_pending.Count > 0 && (_pending.Count >= Window || _pending.Peek().IsCompleted)) await WriteFirstAsync(cancellationToken).ConfigureAwait(false);
    }

    private static bool IsUnchanged(CatalogEntry before, BucketItem item) =>
        before.Kind == EntryKind.File && before.Content?.Size == item.Size && before.ModifiedNanoseconds == Nanoseconds(item.LastModified)
        && item.Tag.Length > 0 && BucketFacts.Of(before)?.Tag == item.Tag;

    /// <summary>Null: it has gone, or would not hold still; a warning says so.</summary>
    private async Task<CatalogEntry?> ReadAsync(
        IBucket bucket, byte[] path, BucketItem item, string? key, ContentRef? before, SubjectKey? subject, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var source = new BucketContentSource(bucket, item, meter);
                var content = await session.StoreAsync(source, new ContentOptions(Parent: before) { Subject = subject }, cancellationToken).ConfigureAwait(false);
                Interlocked.Increment(ref _read);
                var facts = new BucketFacts { Key = key, Tag = item.Tag, Properties = source.Properties };
                return new CatalogEntry
                {
                    Path = path,
                    Kind = EntryKind.File,
                    Mode = 0b110_100_100,
                    ModifiedNanoseconds = Nanoseconds(item.LastModified),
                    Content = content,
                    Subject = subject?.Reference,
                    Extra = facts.ToBytes(),
                };
            }
            catch (ObjectNotFoundException)
            {
                warnings.Add($"{ByteName.Display(path)} vanished during the backup.");
                return null;
            }
            catch (ObjectChangedException) when (attempt < Attempts)
            {
                if (await bucket.FindAsync(item.Key, cancellationToken).ConfigureAwait(false) is { } now) item = now;
            }
            catch (ObjectChangedException)
            {
                warnings.Add($"{ByteName.Display(path)} was left out: it changed each time it was read.");
                return null;
            }
            catch (StoreException e) when (!e.IsTransient && e is not StoreUnavailableException)
            {
                _refused ??= e;
                warnings.Add($"{ByteName.Display(path)} was left out: {e.Message}");
                return null;
            }
        }
    }

    private async ValueTask WriteFirstAsync(CancellationToken cancellationToken)
    {
        if (await _pending.Dequeue().ConfigureAwait(false) is not { } entry) return;
        if (CatalogLimits.Problem(entry) is { } problem)
        {
            warnings.Add($"{ByteName.Display(entry.Path.Span)} was left out: {problem}.");
            return;
        }

        await session.Catalog.AddAsync(entry, cancellationToken).ConfigureAwait(false);
        meter.AddFile();
    }

    private static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
