using System.Buffers;
using System.Collections.Concurrent;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>What an incremental backup may rely on.</summary>
/// <param name="Parent">The earlier backup.</param>
/// <param name="Changed">What the WAL since then touched; null if that is not known.</param>
/// <param name="UnchangedBefore">
/// Files whose modification time is before this, and the same as then, are unchanged; <see cref="long.MinValue"/>: times are not relied on.
/// </param>
/// <param name="Lsns">Where the LSNs of pages tell which of them are as they were then; null: nowhere.</param>
internal sealed record IncrementalPlan(ParentCatalog Parent, ChangedBlocks? Changed, long UnchangedBefore, TrustedLsns? Lsns)
{
    /// <summary>Nothing is relied on: everything is read, and deduplication alone keeps it small.</summary>
    public bool ReadsAll => Changed is null && UnchangedBefore == long.MinValue && Lsns is null;

    /// <summary>The file in the earlier backup; null if it had none, or one with bad pages, which must be looked at and reported again.</summary>
    public CatalogEntry? Find(string path) =>
        Parent.Snapshot.Warnings.Any(warning => warning.StartsWith(PageReport.Prefix(path), StringComparison.Ordinal)) ? null : Parent.Find(path);
}

/// <summary>Stores the files of a data directory, each by the cheapest way that is safe. For use by several workers.</summary>
internal sealed partial class FileStorer(BackupRepository repository, BackupSession session, PageChecker checker, uint segmentBlocks, IncrementalPlan? plan)
{
    private readonly ConcurrentBag<PageReport> _reports = [];

    /// <summary>Files with bad pages.</summary>
    public IEnumerable<PageReport> Reports => _reports.Where(report => report.Count > 0).OrderBy(report => report.Path, StringComparer.Ordinal);

    /// <summary>The entry of a stored directory.</summary>
    public static CatalogEntry Directory(DataFile file) => Entry(file) with { Kind = EntryKind.Directory };

    /// <summary>Stores a file; null if it is gone, which means that its relation was dropped meanwhile and replay drops it too.</summary>
    /// <exception cref="PosixException">It cannot be read.</exception>
    public async ValueTask<CatalogEntry?> StoreAsync(DataFile file, CancellationToken cancellationToken)
    {
        var earlier = plan?.Find(file.CatalogPath);
        if (file.Relation is not { } relation || file.Status.Size % checker.PageSize != 0) return await ReadAllAsync(file, earlier, cancellationToken);

        if (earlier is not null && plan!.Changed?.Find(relation, FirstBlock(relation)) is { } changes)
        {
            return changes.IsUnchanged && earlier.Content!.Size == file.Status.Size
                ? Entry(file) with { Content = earlier.Content }
                : await ReadChangedAsync(file, earlier.Content!, changes, cancellationToken);
        }

        // With summaries at hand, a file that they do not vouch for is read.
        if (earlier is not null && plan!.Changed is null && IsUntouched(file.Status, earlier)) return Entry(file) with { Content = earlier.Content };
        if (earlier is not null && plan!.Lsns is { } lsns && lsns.Covers(relation, file.Status, earlier))
            return await ReadNewerAsync(file, earlier.Content!, lsns.Rule, cancellationToken);
        return await ReadAllAsync(file, earlier, cancellationToken);
    }

    /// <summary>
    /// Whether a relation file is certainly what it was. Same size, times and inode are not enough: a write that began before the earlier
    /// backup looked, and copied its data after, leaves the time of its beginning. Such a write is excluded by demanding that the time lies
    /// before the earlier backup asked for its checkpoint: the checkpoint writes every page changed before it, waits for writes of such
    /// pages that others have begun, and only then was the file looked at.
    /// </summary>
    private bool IsUntouched(in FileStatus status, CatalogEntry earlier) =>
        status.ModifiedNanoseconds < plan!.UnchangedBefore
        && status.ModifiedNanoseconds == earlier.ModifiedNanoseconds
        && status.ChangedNanoseconds == earlier.ChangedNanoseconds
        && status.Inode == earlier.Inode
        && status.Size == earlier.Content!.Size;

    private async ValueTask<CatalogEntry?> ReadAllAsync(DataFile file, CatalogEntry? earlier, CancellationToken cancellationToken)
    {
        using var opened = Open(file);
        if (opened is null) return null;
        var size = file.Status.Size;
        PageInspector? inspector = null;
        if (file.Relation is { } relation)
        {
            inspector = Inspector(file, relation);
            size -= size % checker.PageSize;
        }

        var path = ByteName.Display(file.SourcePath);
        var options = (inspector is null ? ContentOptions.ContentDefined : ContentOptions.Pages(checker.PageSize)) with { Parent = earlier?.Content };
        var content = await session.StoreAsync(new FileSource(opened, size, path, inspector), options, cancellationToken);
        if (size != file.Status.Size && inspector is not null) ReportPartialPage(opened, inspector, FirstBlock(file.Relation!.Value));
        return Entry(file) with { Content = content };
    }

    private async ValueTask<CatalogEntry?> ReadChangedAsync(
        DataFile file, ContentRef earlier, FileChanges changes, CancellationToken cancellationToken)
    {
        var chunkSize = ContentLimits.PageChunk(checker.PageSize);
        using var opened = Open(file);
        if (opened is null) return null;
        var inspector = Inspector(file, file.Relation!.Value);
        var path = ByteName.Display(file.SourcePath);
        var builder = session.BuildContent();
        await using var takeover = new ChunkTakeover(repository, earlier, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(chunkSize);
        try
        {
            for (var offset = 0L; offset < file.Status.Size; offset += chunkSize)
            {
                var length = (int)Math.Min(chunkSize, file.Status.Size - offset);
                if (!changes.IsChanged(offset / chunkSize) && await takeover.FindAsync(offset, length) is { } item && item.Length == length)
                {
                    await builder.AddItemAsync(item, cancellationToken);
                    continue;
                }

                PosixException.Check(FileCalls.Read(opened, buffer.AsSpan(0, length), offset, out var read), "read", path);
                read -= read % checker.PageSize;
                inspector.Inspect(
                    buffer.AsSpan(0, read), offset, (page, at) => FileCalls.Read(opened, page, at, out var again) == PosixError.None && again == page.Length);
                session.CountRead(read);
                await builder.AddChunkAsync(buffer.AsMemory(0, read), cancellationToken);
                // The file was cut meanwhile; the rest of the earlier content is not its content any more.
                if (read < length) break;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Entry(file) with { Content = await builder.CompleteAsync(cancellationToken) };
    }

    private uint FirstBlock(RelationFile relation) => relation.Segment * segmentBlocks;

    private PageInspector Inspector(DataFile file, RelationFile relation)
    {
        var inspector = new PageInspector(checker, FirstBlock(relation), file.CatalogPath);
        _reports.Add(inspector.Report);
        return inspector;
    }

    /// <summary>A file that was being extended when it was listed has whole pages now; one that still has not is damaged.</summary>
    private void ReportPartialPage(Descriptor opened, PageInspector inspector, uint firstBlock)
    {
        if (FileCalls.Status(opened, out var now) == PosixError.None && now.Size % checker.PageSize != 0)
            inspector.Report.Add(new PageDefect(firstBlock + (uint)(now.Size / checker.PageSize), PageFault.Partial, 0, 0));
    }

    private static Descriptor? Open(DataFile file)
    {
        var error = PathCalls.Open(file.SourcePath, OpenFlags.ReadOnly | OpenFlags.NoFollow, out var opened);
        if (error == PosixError.NoEntry) return null;
        PosixException.Check(error, "open", file.SourcePath);
        FileCalls.Advise(opened!, FileAdvice.Sequential);
        return opened;
    }

    private static CatalogEntry Entry(DataFile file) => new()
    {
        Path = CatalogAssembly.Path(file.CatalogPath),
        Kind = EntryKind.File,
        Mode = file.Status.Mode,
        UserId = file.Status.UserId,
        GroupId = file.Status.GroupId,
        ModifiedNanoseconds = file.Status.ModifiedNanoseconds,
        ChangedNanoseconds = file.Status.ChangedNanoseconds,
        Inode = file.Status.Inode,
        Device = file.Status.Device,
    };
}
