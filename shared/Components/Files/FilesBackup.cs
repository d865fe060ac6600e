using System.Text;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository;
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

    public int Parallelism { get; init; } = 2;
}

/// <summary>Backs up directory trees.</summary>
public sealed class FilesBackup(BackupRepository repository, TimeProvider time)
{
    public BackupRepository Repository { get; } = repository;

    public TimeProvider Time { get; } = time;

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
        var walkOptions = new WalkOptions(GlobSet.Parse(options.Include), GlobSet.Parse(options.Exclude), options.OneFileSystem);
        var roots = WalkRoot.Find(options.Paths, warnings);
        try
        {
            var paths = roots.ToDictionary(root => Encoding.UTF8.GetString(root.CatalogName), root => root.Original);
            var before = await Repository.FindParentAsync(
                options.Component, snapshot => IsOfSamePaths(snapshot, paths), cancellationToken).ConfigureAwait(false);
            await using var parent = new ParentCatalog(
                before,
                before is null ? null : Repository.ReadCatalogAsync(before, cancellationToken).GetAsyncEnumerator(cancellationToken),
                warnings.Add);
            await using var session = Repository.BeginSession(new SessionOptions(options.Component, options.Parallelism));
            var meter = new ProgressMeter(progress, Time);
            var walker = new TreeWalker(walkOptions, warnings);
            var pipeline = new BackupPipeline(session, parent, warnings, meter, Hooks, options.Full);
            await pipeline.RunAsync(walker, roots, options.Parallelism, cancellationToken).ConfigureAwait(false);
            meter.Report();

            var details = new FilesBackupDetails
            {
                Paths = paths,
                Include = options.Include,
                Exclude = options.Exclude,
                Excluded = walker.Excluded,
                Sockets = walker.Sockets,
                Unchanged = pipeline.Unchanged,
                Users = FilesBackupDetails.UserNames(pipeline.Users),
                Groups = FilesBackupDetails.GroupNames(pipeline.Groups),
            };
            var kind = before is null || options.Full ? "full" : "incremental";
            var draft = new SnapshotDraft(
                kind, options.Full ? null : before?.Id, startedAt, warnings.ToList(), details.ToJson());
            return await session.CommitAsync(draft, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var root in roots) root.Dispose();
        }
    }

    private static bool IsOfSamePaths(Snapshot snapshot, Dictionary<string, string> paths) =>
        FilesBackupDetails.FromJson(snapshot.Details)?.Paths is { } known
        && known.Count == paths.Count && paths.All(path => known.GetValueOrDefault(path.Key) == path.Value);
}
