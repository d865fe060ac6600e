using System.Collections.Concurrent;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Stores the files of a base backup's stream. For use by several workers.</summary>
internal sealed class StreamStorer(BackupRepository repository, BackupSession session, PageChecker checker, uint segmentBlocks, ParentCatalog? parent)
{
    private readonly ConcurrentBag<PageReport> _reports = [];

    /// <summary>Files with bad pages.</summary>
    public IEnumerable<PageReport> Reports => _reports.Where(report => report.Count > 0).OrderBy(report => report.Path, StringComparer.Ordinal);

    /// <summary>The path of the whole file that an incremental one stands for; null if the file is an ordinary one.</summary>
    public static string? WholePath(string path)
    {
        var slash = path.LastIndexOf('/') + 1;
        if (!path.AsSpan(slash).StartsWith(IncrementalFile.Prefix)) return null;
        var whole = string.Concat(path.AsSpan(0, slash), path.AsSpan(slash + IncrementalFile.Prefix.Length));
        return RelationFile.TryParse(whole, out _) ? whole : null;
    }

    /// <summary>What is to check the pages of a file while it passes; null if it has none, or if they come in another order.</summary>
    public PageInspector? InspectorFor(string path)
    {
        if (!RelationFile.TryParse(path, out var relation)) return null;
        var inspector = new PageInspector(checker, relation.Segment * segmentBlocks, path);
        _reports.Add(inspector.Report);
        return inspector;
    }

    /// <summary>Stores an ordinary file.</summary>
    public ValueTask<ContentRef> StoreAsync(string path, StreamedFile source, CancellationToken cancellationToken)
    {
        var options = RelationFile.TryParse(path, out _) ? ContentOptions.Pages(checker.PageSize) : ContentOptions.ContentDefined;
        return session.StoreAsync(source, options with { Parent = parent?.Find(path)?.Content }, cancellationToken);
    }

    /// <summary>
    /// Puts an incremental file together with the earlier backup's content of the same file: runs without a changed block are taken over as
    /// they are, the others are read from the repository and overlaid, so that what is stored is the whole file.
    /// </summary>
    /// <exception cref="PostgresBackupException">The file does not fit to the earlier backup.</exception>
    public async ValueTask<ContentRef> RebuildAsync(string path, StreamedFile source, CancellationToken cancellationToken)
    {
        var file = await IncrementalFile.ReadAsync(source, checker.PageSize, segmentBlocks, cancellationToken);
        session.CountRead((long)file.Blocks.Length * checker.PageSize);
        var earlier = parent?.Find(path)?.Content
            ?? throw new PostgresBackupException($"The server sent {path} incrementally, though the earlier backup does not have it.");
        if (file.Blocks.Length == 0 && (long)file.TruncationBlocks * checker.PageSize == earlier.Size)
        {
            await source.ReadEndAsync(cancellationToken);
            return earlier;
        }

        var inspector = InspectorFor(path)!;
        using var rebuild = new FileRebuild(repository, session, earlier, file, checker.PageSize);
        var content = await rebuild.RunAsync(
            async (page, block) =>
            {
                await source.ReadExactlyAsync(page, cancellationToken);
                inspector.Inspect(page.Span, (long)block * checker.PageSize, null);
            },
            cancellationToken);
        await source.ReadEndAsync(cancellationToken);
        return content;
    }
}
