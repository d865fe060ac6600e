namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>One segment, read and checked by itself.</summary>
/// <param name="Facts">What is known of it, without <see cref="WalSegmentFacts.Sha256"/>.</param>
/// <param name="Stop">How far it is sound.</param>
public sealed record WalScan(WalSegmentFacts Facts, WalStop Stop)
{
    /// <summary>Reads a segment or the beginning of one.</summary>
    /// <param name="bytes">From the segment's first byte on.</param>
    /// <param name="name">Its name.</param>
    /// <param name="segmentSize">Bytes per segment.</param>
    /// <param name="systemIdentifier">The cluster, or null to take any.</param>
    public static WalScan Read(ReadOnlySpan<byte> bytes, WalSegmentName name, int segmentSize, ulong? systemIdentifier)
    {
        var collector = new Collector();
        var decoder = new WalDecoder(segmentSize, systemIdentifier, collector);
        var stop = decoder.Feed(bytes, name.Start(segmentSize), name.Timeline);
        var head = decoder.Head;
        var tail = decoder.Tail is { Start: not null } split ? split : null;
        return new WalScan(
            collector.Facts with
            {
                Size = bytes.Length,
                Version = WalVersion.FromMagic(decoder.Magic) ?? 0,
                LastTimeline = decoder.Timeline,
                FirstRecord = decoder.FirstRecord,
                FirstPrevious = decoder.FirstPrevious,
                LastRecord = decoder.LastRecord,
                End = decoder.End,
                Switched = stop.Kind == WalStopKind.Switched,
                Overwrites = decoder.Overwrites,
                Records = decoder.Records.Sum(),
                Head = head is null
                    ? null
                    : new WalHeadFacts(head.Remaining, head.Length, Convert.ToHexStringLower([.. head.First]), head.Crc, head.IsAbandoned),
                Tail = tail is null
                    ? null
                    : new WalTailFacts(tail.Start!.Value, tail.Remaining, Convert.ToHexStringLower(tail.Header), tail.Crc),
            },
            stop);
    }

    private sealed class Collector : IWalVisitor
    {
        private readonly List<WalRestorePointFacts> _points = [];
        private DateTimeOffset? _firstCommit, _lastCommit, _latestTransaction, _latestTime;
        private uint? _minimumXid, _maximumXid;
        private bool _morePoints;

        public WalSegmentFacts Facts => new()
        {
            FirstCommit = _firstCommit,
            LastCommit = _lastCommit,
            LatestTransaction = _latestTransaction,
            LatestTime = _latestTime,
            MinimumXid = _minimumXid,
            MaximumXid = _maximumXid,
            RestorePoints = _points,
            MoreRestorePoints = _morePoints,
        };

        public void OnTransaction(in WalTransaction transaction)
        {
            if (transaction.Committed)
            {
                _firstCommit ??= transaction.Time;
                _lastCommit = transaction.Time;
            }

            Note(ref _latestTransaction, transaction.Time);
            Note(ref _latestTime, transaction.Time);
            _minimumXid = Math.Min(_minimumXid ?? transaction.Xid, transaction.Xid);
            _maximumXid = Math.Max(_maximumXid ?? transaction.Xid, transaction.Xid);
        }

        public void OnRestorePoint(in WalRestorePoint point)
        {
            if (_points.Count < WalSegmentFacts.MaximumRestorePoints)
                _points.Add(new WalRestorePointFacts(point.Name, point.End, point.Time));
            else _morePoints = true;
            Note(ref _latestTime, point.Time);
        }

        public void OnCheckpoint(in WalCheckpoint checkpoint) => Note(ref _latestTime, checkpoint.Time);

        public void OnTimelineChange(in WalTimelineChange change) => Note(ref _latestTime, change.Time);

        private static void Note(ref DateTimeOffset? latest, DateTimeOffset time)
        {
            if (latest is null || time > latest) latest = time;
        }
    }
}
