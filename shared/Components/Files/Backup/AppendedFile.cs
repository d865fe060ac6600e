using System.Buffers;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>
/// A file that may begin with what an earlier recovery point holds of its inode. Inodes are used again and files are truncated, so nothing
/// is believed before the first chunk, one in the middle and the last one were read and are the same.
/// </summary>
internal sealed class AppendedFile(BackupRepository repository, CatalogEntry before, Action onTaken)
{
    /// <summary>Of larger files the list of chunks would be large itself: they are read whole. About a terabyte.</summary>
    private const int MaximumItems = 1 << 20;

    internal CatalogEntry Before { get; } = before;

    /// <summary>What can be taken over: all chunks if nothing was added, otherwise all but the last, whose end was no more than the file's.</summary>
    /// <returns>Null: the file must be read whole.</returns>
    /// <exception cref="PosixException">The file cannot be read.</exception>
    internal async ValueTask<TakenRuns?> CheckAsync(Descriptor file, FileStatus status, BackupSession session, CancellationToken cancellationToken)
    {
        var items = new List<ContentItem>();
        try
        {
            await foreach (var item in repository.ReadItemsAsync(Before.Content!, cancellationToken).ConfigureAwait(false))
            {
                if (items.Count == MaximumItems || item.Sealed != 0) return null;
                items.Add(item);
            }
        }
        catch (DamageException)
        {
            return null; // verification tells of it; here the file has it all
        }

        if (items.Count == 0 || status.Size < Before.Content!.Size) return null;
        long offset = 0;
        for (var i = 0; i < items.Count; i++)
        {
            if ((i == 0 || i == items.Count / 2 || i == items.Count - 1) && !IsSame(file, items[i], offset, session)) return null;
            offset += items[i].Length;
        }

        if (offset != Before.Content.Size) return null;
        onTaken();
        if (status.Size == offset) return new TakenRuns(items, offset);
        var last = items[^1];
        items.RemoveAt(items.Count - 1);
        return new TakenRuns(items, offset - last.Length);
    }

    private bool IsSame(Descriptor file, ContentItem item, long offset, BackupSession session)
    {
        if (item.IsHole || item.Length > ContentLimits.MaximumChunkSize) return false;
        var buffer = ArrayPool<byte>.Shared.Rent((int)item.Length);
        try
        {
            var filled = 0;
            while (filled < item.Length)
            {
                PosixException.Check(FileCalls.Read(file, buffer.AsSpan(filled, (int)item.Length - filled), offset + filled, out var read), "read", "a log");
                if (read == 0) return false;
                filled += read;
            }

            session.CountRead(filled);
            return repository.ComputeId(buffer.AsSpan(0, filled)) == item.Id;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>The beginning of a file that is known.</summary>
/// <param name="Items">Its runs.</param>
/// <param name="Bytes">Their length.</param>
internal sealed record TakenRuns(IReadOnlyList<ContentItem> Items, long Bytes);
