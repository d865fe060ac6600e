using System.Buffers;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

internal sealed partial class FileStorer
{
    /// <summary>Reads and checks all pages; chunks whose pages are all old, but for the first, are the earlier backup's and not hashed.</summary>
    private async ValueTask<CatalogEntry?> ReadNewerAsync(DataFile file, ContentRef earlier, PageLsnRule rule, CancellationToken cancellationToken)
    {
        var chunkSize = ContentLimits.PageChunk(checker.PageSize);
        using var opened = Open(file);
        if (opened is null) return null;
        var inspector = Inspector(file, file.Relation!.Value);
        var source = new FileSource(opened, file.Status.Size, ByteName.Display(file.SourcePath), inspector);
        var builder = session.BuildContent();
        await using var takeover = new ChunkTakeover(repository, earlier, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(FileSource.MaximumRead);
        try
        {
            for (var offset = 0L; ;)
            {
                var defects = inspector.Report.Count;
                var read = (await source.ReadAsync(buffer.AsMemory(0, FileSource.MaximumRead), cancellationToken)).Bytes;
                if (read == 0) break;
                session.CountRead(read);
                // A bad page is stored as it is found, and is no more taken for the earlier backup's good one than its neighbours are.
                var isSound = inspector.Report.Count == defects;
                for (var at = 0; at < read; at += chunkSize)
                {
                    var chunk = buffer.AsMemory(at, Math.Min(chunkSize, read - at));
                    if (isSound && offset + at > 0 && rule.AreOld(chunk.Span)
                        && await takeover.FindAsync(offset + at, chunk.Length) is { IsHole: false } item && item.Length == chunk.Length)
                        await builder.AddItemAsync(item, cancellationToken);
                    else
                        await builder.AddChunkAsync(chunk, cancellationToken);
                }

                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Entry(file) with { Content = await builder.CompleteAsync(cancellationToken) };
    }
}
