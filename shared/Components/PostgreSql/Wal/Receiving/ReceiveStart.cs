namespace FunctionsBackup.Components.PostgreSql.Wal.Receiving;

/// <summary>Finds out where receiving goes on: after what the archive has of the server's history.</summary>
internal static class ReceiveStart
{
    /// <summary>
    /// Fills <paramref name="buffer"/> with the segment to go on with and what is archived of it already.
    /// </summary>
    /// <param name="archive">The archive.</param>
    /// <param name="path">The server's timeline and where it comes from.</param>
    /// <param name="fallback">Where to begin if the archive has nothing: the slot's position.</param>
    /// <param name="buffer">Receives the segment.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask ResumeAsync(
        WalArchive archive, TimelineHistory path, Lsn fallback, SegmentBuffer buffer, CancellationToken cancellationToken)
    {
        var size = buffer.SegmentSize;
        var inventory = await archive.LoadInventoryAsync(size, cancellationToken);
        var timelines = path.Ancestors.Select(a => a.Timeline).Append(path.Timeline).Reverse();
        foreach (var timeline in timelines)
        {
            if (inventory.LastOf(timeline) is not { } last) continue;
            // Nothing that the server's history left behind: it forked off before that.
            if (path.SwitchedFrom(timeline) is { } fork && fork < last) continue;
            var name = WalSegmentName.Containing(timeline, last, size);
            if (inventory.IsComplete(name)) buffer.Begin(name.Next(size), []);
            else await BeginAsync(archive, name, buffer, cancellationToken);
            return;
        }

        await BeginAsync(archive, WalSegmentName.Containing(path.At(fallback), fallback, size), buffer, cancellationToken);
    }

    /// <summary>Begins a segment with the parts that are archived of it.</summary>
    public static async ValueTask BeginAsync(
        WalArchive archive, WalSegmentName name, SegmentBuffer buffer, CancellationToken cancellationToken)
    {
        var known = await archive.FetchPartsAsync(name, cancellationToken);
        if (known is null || known.Bytes.Length != buffer.SegmentSize) buffer.Begin(name, []);
        else buffer.Begin(name, known.Bytes.AsSpan(0, known.Length));
    }
}
