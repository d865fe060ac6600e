using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>
/// Finds the last record before an LSN. A target that no later record confirms cannot be told to the server as it is: it would refuse to
/// end recovery. Telling it nothing would overshoot when more WAL is archived while the restore runs. So it is told to stop after the last
/// record that counts.
/// </summary>
internal static class LastRecord
{
    /// <summary>Start of the record that ends at <paramref name="end"/>, or null if it cannot be told.</summary>
    public static async ValueTask<Lsn?> FindAsync(
        WalArchive archive, uint timeline, Lsn end, int segmentSize, CancellationToken cancellationToken)
    {
        var history = await archive.GetHistoryAsync(timeline, cancellationToken).ConfigureAwait(false);
        var size = (ulong)segmentSize;
        var last = new Lsn((end.Value - 1) / size * size);

        // The record may have begun in the segment before; decoding can begin at any segment.
        var decoder = new WalDecoder(segmentSize, null, null);
        var before = last.Value >= size ? new Lsn(last.Value - size) : last;
        foreach (var start in before == last ? [last] : new[] { before, last })
        {
            var (name, content) = await ReadAsync(archive, history, start, segmentSize, cancellationToken).ConfigureAwait(false);
            if (content is null) continue;
            var length = Math.Min(content.Length, (int)Math.Min(size, end.Value - start.Value));
            if (!decoder.Feed(content.Bytes.AsSpan(0, length), start, name.Timeline).IsComplete && start != last)
                decoder = new WalDecoder(segmentSize, null, null);
        }

        return decoder.End == end ? decoder.LastRecord : null;
    }

    private static async ValueTask<(WalSegmentName Name, WalSegmentContent? Content)> ReadAsync(
        WalArchive archive, TimelineHistory history, Lsn start, int segmentSize, CancellationToken cancellationToken)
    {
        foreach (var timeline in history.Candidates(start, segmentSize))
        {
            var name = WalSegmentName.Containing(timeline, start, segmentSize);
            if (await archive.FetchSegmentAsync(name, cancellationToken).ConfigureAwait(false) is { } content) return (name, content);
        }

        return default;
    }
}
