using System.Runtime.CompilerServices;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.PostgreSql.Wal;

public sealed partial class WalArchive
{
    /// <summary>
    /// The objects that no kept base backup can need any more: segments, labels and <c>.partial</c> files wholly before the oldest kept
    /// backup, and parts of segments that are complete by now. Never a history file; nothing of a timeline that a kept backup, or one in
    /// the making, may lead to.
    /// </summary>
    /// <param name="oldestKept">
    /// Of each timeline with kept backups, the start LSN of the oldest one. Empty: nothing is obsolete but parts of complete segments.
    /// </param>
    /// <param name="segmentSize">Bytes per segment.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async IAsyncEnumerable<ObjectInfo> ObsoleteAsync(
        IReadOnlyDictionary<uint, Lsn> oldestKept, int segmentSize, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(oldestKept);
        var complete = new HashSet<WalSegmentName>();
        await foreach (var name in ListAsync(cancellationToken)) complete.Add(name);
        await foreach (var item in _store.ListAsync(_names.Root, cancellationToken))
        {
            if (WalObjectNames.TryParsePart(item.Name, out var part, out _, out _))
            {
                if (complete.Contains(part) || IsBefore(part)) yield return item;
            }
            else if (WalFileName.TryParse(WalObjectNames.FileName(item.Name), out var name))
            {
                if (name.Kind != WalFileKind.History && IsBefore(name.Segment)) yield return item;
            }
        }

        bool IsBefore(WalSegmentName name)
        {
            if (oldestKept.Count == 0) return false;
            var end = name.Start(segmentSize) + (ulong)segmentSize;
            // On its own timeline a segment is needed from the oldest backup on. A backup on a later timeline may still begin in a segment
            // of an earlier one, and one on an earlier timeline leads into later ones: both only from its own start on.
            Lsn? needed = null;
            foreach (var (timeline, start) in oldestKept)
                if ((timeline <= name.Timeline || start < end) && (needed is null || start < needed)) needed = start;
            return needed is null ? name.Timeline < oldestKept.Keys.Min() : end <= needed.Value;
        }
    }
}
