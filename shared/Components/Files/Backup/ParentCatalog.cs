using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>
/// The entries of the recovery point before, looked up in catalog order, so that one pass over its catalog is enough. Not for concurrent
/// use.
/// </summary>
internal sealed class ParentCatalog(Snapshot? snapshot, IAsyncEnumerator<CatalogEntry>? entries, Action<string> warn) : IAsyncDisposable
{
    /// <summary>File systems stamp with the time of the last tick, and an NFS server by its own clock.</summary>
    private static readonly TimeSpan ClockGranularity = TimeSpan.FromSeconds(2);

    private readonly long _racyFrom = snapshot is null ? long.MinValue : Nanoseconds(snapshot.StartedAt - ClockGranularity);
    private CatalogEntry? _current;
    private bool _ended = entries is null;

    /// <summary>The entry at <paramref name="path"/>, or null. Paths must be asked for in ascending order.</summary>
    internal async ValueTask<CatalogEntry?> FindAsync(ReadOnlyMemory<byte> path)
    {
        while (!_ended)
        {
            if (_current is not null)
            {
                var order = CatalogOrder.Compare(_current.Path.Span, path.Span);
                if (order == 0) return _current;
                if (order > 0) return null;
            }

            try
            {
                if (await entries!.MoveNextAsync().ConfigureAwait(false)) _current = entries.Current;
                else _ended = true;
            }
            catch (DamageException damage)
            {
                _ended = true;
                warn($"The catalog of {snapshot!.Id} is damaged, so the files after that point were read anew: {damage.Message}");
            }
        }

        return null;
    }

    /// <summary>
    /// Whether nothing has changed since the entry was made. A change stamp that is not older than the start of that backup proves nothing:
    /// the file may have been changed again within the same tick of the clock, after it was read.
    /// </summary>
    internal bool IsUnchanged(CatalogEntry entry, EntryKind kind, in FileStatus status) =>
        entry.Kind == kind
        && entry.Inode == status.Inode
        && entry.ChangedNanoseconds == status.ChangedNanoseconds
        && entry.ModifiedNanoseconds == status.ModifiedNanoseconds
        && status.ChangedNanoseconds < _racyFrom
        && status.ModifiedNanoseconds < _racyFrom
        && (kind != EntryKind.File || entry.Content?.Size == status.Size);

    /// <summary>
    /// Whether the file holds as many bytes as the entry, and was written for the last time when that was: its name or its attributes may
    /// have changed since. Good enough only together with <see cref="AppendedFile"/>.
    /// </summary>
    internal bool IsWrittenAt(CatalogEntry entry, in FileStatus status) =>
        entry.ChangedNanoseconds != 0
        && entry.Content?.Size == status.Size
        && entry.ModifiedNanoseconds == status.ModifiedNanoseconds
        && status.ModifiedNanoseconds < _racyFrom;

    public async ValueTask DisposeAsync()
    {
        if (entries is not null) await entries.DisposeAsync().ConfigureAwait(false);
    }

    private static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
