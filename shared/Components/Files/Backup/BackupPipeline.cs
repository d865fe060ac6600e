using System.Threading.Channels;
using FunctionsBackup.Components.Files.Subjects;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>
/// The stages of a backup of files, each at its own pace: walk → compare with the recovery point before → read what changed, in parallel →
/// write the catalog in order. The queues between them are bounded, so that memory does not grow with the number of files, nor while one
/// large file is being read.
/// </summary>
internal sealed class BackupPipeline(
    BackupSession session, ParentCatalog parent, WarningList warnings, ProgressMeter meter, FilesBackupHooks hooks, SubjectTags tags, bool readAll,
    AppendedFiles? appended = null)
{
    private const int BatchSize = 256;

    private readonly Channel<List<WalkedEntry>> _walked = Bounded<List<WalkedEntry>>(4);
    private readonly Channel<FileJob> _jobs = Bounded<FileJob>(1024);

    private readonly HardLinks _links = new();

    // 32,768 entries: how far the readers may be ahead of one large file.
    private readonly Channel<List<PendingEntry>> _pending = Bounded<List<PendingEntry>>(128);

    /// <summary>Files taken over without reading them.</summary>
    internal long Unchanged { get; private set; }

    /// <summary>Entries that do not come from the walk, complete and in catalog order.</summary>
    internal IReadOnlyList<CatalogEntry> Additions { get; init; } = [];

    internal HashSet<uint> Users { get; } = [];

    internal HashSet<uint> Groups { get; } = [];

    /// <summary>The first names of files that have names which were not seen.</summary>
    internal IEnumerable<CatalogEntry> OpenLinks => _links.Open.Select(l => l.First).OfType<CatalogEntry>();

    /// <summary>Stores everything below the roots that is in the walker's range and completes the catalog's entries.</summary>
    internal async ValueTask RunAsync(
        TreeWalker walker, IReadOnlyList<WalkRoot> roots, int parallelism, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var stages = new List<Task>
        {
            Stage(token => WalkAsync(walker, roots, token), stop),
            Stage(CompareAsync, stop),
            Stage(WriteCatalogAsync, stop),
        };
        for (var i = 0; i < Math.Max(1, parallelism); i++) stages.Add(Stage(ReadAsync, stop));

        // The first failure stops the other stages, whose cancellation says nothing: it is the one to tell of.
        var all = Task.WhenAll(stages);
        await ((Task)all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (stages.Find(stage => stage.IsFaulted) is { } failed) await failed.ConfigureAwait(false);
        await all.ConfigureAwait(false);
    }

    private static Task Stage(Func<CancellationToken, Task> run, CancellationTokenSource stop) => Task.Run(async () =>
    {
        try
        {
            await run(stop.Token).ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    });

    private async Task WalkAsync(TreeWalker walker, IReadOnlyList<WalkRoot> roots, CancellationToken cancellationToken)
    {
        var batch = new List<WalkedEntry>(BatchSize);
        foreach (var root in roots)
        {
            foreach (var entry in walker.Walk(root))
            {
                batch.Add(entry);
                if (batch.Count < BatchSize) continue;
                await _walked.Writer.WriteAsync(batch, cancellationToken).ConfigureAwait(false);
                batch = new List<WalkedEntry>(BatchSize);
            }
        }

        await _walked.Writer.WriteAsync(batch, cancellationToken).ConfigureAwait(false);
        _walked.Writer.Complete();
    }

    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        using var reader = new FileReader(session, warnings, meter, hooks);
        await foreach (var walked in _walked.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            var batch = new List<PendingEntry>(walked.Count);
            foreach (var entry in walked)
            {
                var before = await parent.FindAsync(entry.Path).ConfigureAwait(false);
                var tag = await tags.FindAsync(entry, cancellationToken).ConfigureAwait(false);
                var link = _links.Find(entry, out var isFirst);
                Users.Add(entry.Status.UserId);
                Groups.Add(entry.Status.GroupId);
                if (tag.IsErased) continue;
                // What was stored as somebody else's, or nobody's, is sealed otherwise.
                if (before?.Subject != tag.Key?.Reference) before = null;
                if (!isFirst) batch.Add(new PendingEntry(null, null, entry, link, tag.Key));
                else if (!readAll && before is not null && parent.IsUnchanged(before, entry.Kind, entry.Status))
                    batch.Add(new PendingEntry(TakeOver(entry, before), null, null, link));
                else if (entry.Kind == EntryKind.File)
                {
                    var grown = readAll || appended is null ? null : await appended.FindAsync(entry.Status, cancellationToken).ConfigureAwait(false);
                    if (grown is not null && grown.Before.Subject != tag.Key?.Reference) grown = null;
                    var job = new FileJob(entry, before, tag.Key, grown);
                    await _jobs.Writer.WriteAsync(job, cancellationToken).ConfigureAwait(false);
                    batch.Add(new PendingEntry(null, job, null, link));
                }
                else if (reader.ReadOther(entry) is { } other)
                    batch.Add(new PendingEntry(other, null, null, null));
            }

            await _pending.Writer.WriteAsync(batch, cancellationToken).ConfigureAwait(false);
        }

        _jobs.Writer.Complete();
        _pending.Writer.Complete();
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        using var reader = new FileReader(session, warnings, meter, hooks);
        await foreach (var job in _jobs.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            job.Complete(await reader.ReadFileAsync(job.Entry, job.Parent?.Content, job.Subject, cancellationToken, job.Appended).ConfigureAwait(false));
    }

    private async Task WriteCatalogAsync(CancellationToken cancellationToken)
    {
        using var reader = new FileReader(session, warnings, meter, hooks);
        var added = 0;
        await foreach (var batch in _pending.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var pending in batch)
            {
                var entry = pending.Entry;
                if (pending.Job is { } job)
                    entry = job.Result.IsCompletedSuccessfully
                        ? job.Result.Result
                        : await job.Result.WaitAsync(cancellationToken).ConfigureAwait(false);
                else if (pending.FurtherName is { } name)
                    entry = await AddNameAsync(reader, name, pending, cancellationToken).ConfigureAwait(false);
                if (entry is null) continue;
                if (CatalogLimits.Problem(entry) is { } problem)
                {
                    warnings.Add($"{ByteName.Display(entry.Path.Span)} was left out: {problem}.");
                    continue;
                }

                if (pending.Link is { First: null } link) link.First = entry;
                added = await AddBeforeAsync(entry.Path, added, cancellationToken).ConfigureAwait(false);
                await session.Catalog.AddAsync(entry, cancellationToken).ConfigureAwait(false);
                if (entry.Kind == EntryKind.File) meter.AddFile();
            }
        }

        await AddBeforeAsync(null, added, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<int> AddBeforeAsync(ReadOnlyMemory<byte>? path, int next, CancellationToken cancellationToken)
    {
        for (; next < Additions.Count && (path is not { } before || CatalogOrder.Compare(Additions[next].Path.Span, before.Span) < 0); next++)
        {
            await session.Catalog.AddAsync(Additions[next], cancellationToken).ConfigureAwait(false);
            if (Additions[next].Kind == EntryKind.File) meter.AddFile();
        }

        return next;
    }

    // A file that could not be read under its first name is tried again under this one.
    private static async ValueTask<CatalogEntry?> AddNameAsync(
        FileReader reader, WalkedEntry name, PendingEntry pending, CancellationToken cancellationToken)
    {
        if (pending.Link!.First is not { } first)
            return await reader.ReadFileAsync(name, null, pending.Subject, cancellationToken).ConfigureAwait(false);
        return first with { Path = name.Path, HardLinkTo = first.Path };
    }

    private CatalogEntry TakeOver(WalkedEntry entry, CatalogEntry before)
    {
        if (entry.Kind == EntryKind.File)
        {
            Unchanged++;
            meter.AddBytes(entry.Status.Size);
        }

        return FileReader.ToEntry(entry, entry.Status) with
        {
            Content = before.Content,
            Subject = before.Subject,
            LinkTarget = before.LinkTarget,
            ExtendedAttributes = before.ExtendedAttributes,
        };
    }

    private static Channel<T> Bounded<T>(int capacity) => Channel.CreateBounded<T>(capacity);
}
