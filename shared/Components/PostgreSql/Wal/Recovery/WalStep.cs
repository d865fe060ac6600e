using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Components.PostgreSql.Wal.Recovery;

/// <summary>One segment of a walk, known to follow the one before it.</summary>
/// <param name="Archive">Where to read it.</param>
/// <param name="Name">Its name, on the timeline that recovery takes it from.</param>
/// <param name="Start">Its LSN.</param>
/// <param name="Facts">What is known of it.</param>
/// <param name="Stop">How far it is sound.</param>
/// <param name="MustRead">A record that ends in its first bytes may matter, and no facts tell.</param>
internal sealed record WalStep(WalArchive Archive, WalSegmentName Name, Lsn Start, WalSegmentFacts Facts, WalStop Stop, bool MustRead)
{
    /// <summary>The step before, as long as a record of it goes on in this one.</summary>
    public WalStep? Before { get; init; }

    /// <summary>Reads the segment, and as much as needed of the one before it, and tells what it holds.</summary>
    /// <returns>The events, and the end of the last whole record.</returns>
    public async ValueTask<(WalEventLog Events, Lsn? End)> ReadAsync(int segmentSize, Lsn? recordFrom, CancellationToken cancellationToken)
    {
        var events = new WalEventLog(Start, recordFrom);
        var decoder = new WalDecoder(segmentSize, null, events);
        if (Facts.Head is not null && Before is { } before)
        {
            var earlier = await Archive.ReadSegmentAsync(before.Name, cancellationToken);
            if (!decoder.Feed(earlier.Bytes, before.Start, before.Name.Timeline).IsComplete)
                decoder = new WalDecoder(segmentSize, null, events);
        }

        var own = await Archive.ReadSegmentAsync(Name, cancellationToken);
        decoder.Feed(own.Bytes.AsSpan(0, own.Length), Start, Name.Timeline);
        return (events, decoder.End);
    }
}
