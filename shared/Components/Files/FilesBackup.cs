using System.Text;
using FunctionsBackup.Components.Configuration.Sources;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Files.Subjects;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Files;

/// <summary>What to back up.</summary>
/// <param name="Component">Name in the configuration: <c>voice_data</c>, <c>logs</c>.</param>
/// <param name="Paths">Directories or files. In the catalog each is a top-level entry named after its last component.</param>
public sealed record FilesBackupOptions(string Component, IReadOnlyList<string> Paths)
{
    /// <summary>
    /// If not empty, only files that match one of these globs (gitignore-like: <c>*</c>, <c>**</c>, <c>?</c>, <c>[a-z]</c>), or lie in a
    /// directory that does. Globs are relative to the path that is backed up (<see cref="Glob"/>).
    /// </summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Read every file, also those that size, mtime, ctime and inode say are unchanged.</summary>
    public bool Full { get; init; }

    /// <summary>Do not enter directories on which another file system is mounted.</summary>
    public bool OneFileSystem { get; init; }

    /// <summary>Tell whose data a file holds, so that it can be erased (<see cref="SubjectPattern"/>). The first that fits counts.</summary>
    public IReadOnlyList<string> Subjects { get; init; } = [];

    /// <summary>
    /// Files are only added to, and rotated by renaming: one that was renamed is not read again, one that grew only from where it ended
    /// (docs/logs.md says what is checked).
    /// </summary>
    public bool AppendOnly { get; init; }

    public int Parallelism { get; init; } = 2;
}

/// <summary>Backs up directory trees.</summary>
public sealed class FilesBackup(BackupRepository repository, TimeProvider time)
{
    public BackupRepository Repository { get; } = repository;

    public TimeProvider Time { get; } = time;

    /// <summary>What goes into the catalog beside the files, each below a top-level name of its own.</summary>
    public IReadOnlyList<IConfigurationSource> Sources { get; init; } = [];

    internal IReadOnlyList<string> ReservedNames => [.. Sources.Select(s => s.Name)];

    internal FilesBackupHooks Hooks { get; init; } = new();

    /// <summary>
    /// Takes one recovery point. Files that change, vanish or cannot be read become warnings of the snapshot; the rest goes on.
    /// </summary>
    /// <exception cref="FileNotFoundException">None of the paths exists.</exception>
    /// <exception cref="FormatException">A glob is not one.</exception>
    public async ValueTask<Snapshot> RunAsync(
        FilesBackupOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var startedAt = Time.GetUtcNow();
        var warnings = new WarningList();
        var roots = WalkRoot.Find(options.Paths, warnings, ReservedNames);
        try
        {
            var parent = await FindParentAsync(options, roots, cancellationToken).ConfigureAwait(false);
            var pass = new FilesPass(options, startedAt, parent, null, warnings);
            return await StoreAsync(pass, roots, null, progress, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var root in roots) root.Dispose();
        }
    }

    /// <summary>
    /// Does one unit of a run: its stretch of the walk becomes a part of the run. Units of one run, put together in order, are what
    /// <see cref="RunAsync"/> makes in one go.
    /// </summary>
    /// <param name="unit">From <see cref="BackupRuns.JoinAsync"/>.</param>
    /// <param name="plan">From <see cref="FilesPlanner"/>.</param>
    /// <param name="index">Which of its stretches.</param>
    /// <param name="parallelism">Readers, and workers that compress.</param>
    /// <param name="progress">Told a few times a second.</param>
    /// <param name="cancellationToken">Stops; what was stored is found again by the next attempt.</param>
    /// <exception cref="FileNotFoundException">None of the paths exists.</exception>
    public async ValueTask<Snapshot> RunUnitAsync(
        RunUnit unit, FilesPlan plan, int index, int parallelism, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var warnings = new WarningList();
        var options = plan.ToOptions(parallelism);
        var roots = WalkRoot.Find(options.Paths, warnings, ReservedNames);
        try
        {
            // A parent that was removed meanwhile, or cannot be trusted any more, is no parent.
            var parent = plan.Parent is null ? null : await Repository.FindParentAsync(
                plan.Component, snapshot => snapshot.Id == plan.Parent, cancellationToken).ConfigureAwait(false);
            var pass = new FilesPass(options, unit.Run.Token.StartedAt, parent, plan.RangeOf(index), warnings);
            return await StoreAsync(pass, roots, unit, progress, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var root in roots) root.Dispose();
        }
    }

    /// <summary>The newest recovery point of just these paths, or null.</summary>
    internal ValueTask<Snapshot?> FindParentAsync(
        FilesBackupOptions options, IReadOnlyList<WalkRoot> roots, CancellationToken cancellationToken)
    {
        var paths = PathsOf(roots, null);
        return Repository.FindParentAsync(options.Component, snapshot => IsOfSamePaths(snapshot, paths), cancellationToken);
    }

    private async ValueTask<Snapshot> StoreAsync(
        FilesPass pass, IReadOnlyList<WalkRoot> roots, RunUnit? unit, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var (options, startedAt, before, range, warnings) = pass;
        var walkOptions = new WalkOptions(GlobSet.Parse(options.Include), GlobSet.Parse(options.Exclude), options.OneFileSystem)
        {
            Range = range,
        };
        await using var parent = new ParentCatalog(
            before,
            before is null ? null : Repository.ReadCatalogAsync(before, range?.From, cancellationToken).GetAsyncEnumerator(cancellationToken),
            warnings.Add);
        await using var session = Repository.BeginSession(new SessionOptions(options.Component, options.Parallelism) { Unit = unit });
        var meter = new ProgressMeter(progress, Time);
        var walker = new TreeWalker(walkOptions, warnings);
        var tags = new SubjectTags(Repository.Subjects, options.Subjects);
        var appended = options.AppendOnly && before is not null ? new AppendedFiles(Repository, before, parent, warnings.Add) : null;
        var pipeline = new BackupPipeline(session, parent, warnings, meter, Hooks, tags, options.Full, appended)
        {
            Additions = await StoreSourcesAsync(session, range, startedAt, cancellationToken).ConfigureAwait(false),
        };
        await pipeline.RunAsync(walker, roots, options.Parallelism, cancellationToken).ConfigureAwait(false);
        meter.Report();
        if (tags.Warning is { } leftOut) warnings.Add(leftOut);

        var details = new FilesBackupDetails
        {
            Paths = PathsOf(roots, range),
            Sources = [.. Sources.Where(s => range?.Contains(Encoding.UTF8.GetBytes(s.Name)) != false).Select(s => s.Name)],
            Include = options.Include,
            Exclude = options.Exclude,
            Excluded = walker.Excluded,
            Sockets = walker.Sockets,
            Unchanged = pipeline.Unchanged,
            Continued = appended?.Continued ?? 0,
            Users = FilesBackupDetails.UserNames(pipeline.Users),
            Groups = FilesBackupDetails.GroupNames(pipeline.Groups),
        };
        var kind = before is null || options.Full ? "full" : "incremental";
        var draft = new SnapshotDraft(kind, options.Full ? null : before?.Id, startedAt, warnings.ToList(), details.ToJson())
        {
            Links = unit is null
                ? []
                : [.. pipeline.OpenLinks.Select(e => new PartLink(e.Device, e.Inode, e.Path.ToArray(), PartLink.Fingerprint(e.Content!)))],
        };
        return await session.CommitAsync(draft, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Of a unit, those sources whose names are in its stretch: all that lies below a name is in the same.</summary>
    private async ValueTask<List<CatalogEntry>> StoreSourcesAsync(
        BackupSession session, WalkRange? range, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var entries = new List<CatalogEntry>();
        foreach (var source in Sources.OrderBy(s => s.Name, StringComparer.Ordinal))
            if (range?.Contains(Encoding.UTF8.GetBytes(source.Name)) != false)
                entries.AddRange(await SourceEntries.StoreAsync(source, session, at, cancellationToken).ConfigureAwait(false));
        return entries;
    }

    /// <summary>Of a unit, those roots whose own entries are in its stretch.</summary>
    private static Dictionary<string, string> PathsOf(IReadOnlyList<WalkRoot> roots, WalkRange? range) => roots
        .Where(root => range?.Contains(root.CatalogName) != false)
        .ToDictionary(root => Encoding.UTF8.GetString(root.CatalogName), root => root.Original);

    private static bool IsOfSamePaths(Snapshot snapshot, Dictionary<string, string> paths) =>
        FilesBackupDetails.FromJson(snapshot.Details)?.Paths is { } known
        && known.Count == paths.Count && paths.All(path => known.GetValueOrDefault(path.Key) == path.Value);

    /// <summary>One pass over all of a component, or over a stretch of it.</summary>
    private sealed record FilesPass(
        FilesBackupOptions Options, DateTimeOffset StartedAt, Snapshot? Parent, WalkRange? Range, WarningList Warnings);
}
