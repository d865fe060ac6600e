using System.Globalization;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

/// <summary>Reads what a real server wrote, and compares with what PostgreSQL's own reader says of it.</summary>
public sealed class WalDecoderTests
{
    [Theory]
    [InlineData(15), InlineData(17)]
    public async Task Every_record_is_read_and_every_transaction_known(int version)
    {
        var wal = await RecordedWal.GetAsync(version);
        var events = new Collector();
        var decoder = new WalDecoder(RecordedWal.SegmentSize, ulong.Parse(wal.SystemIdentifier), events);
        foreach (var (name, bytes) in wal.Segments)
        {
            var stop = decoder.Feed(bytes, name.Start(RecordedWal.SegmentSize), name.Timeline);
            stop.IsComplete.ShouldBeTrue($"{name}: {stop}");
        }

        var last = decoder.Feed(wal.Current.Bytes, wal.Current.Name.Start(RecordedWal.SegmentSize), 1);
        last.Kind.ShouldBe(WalStopKind.EndOfWal);
        last.At.ShouldBe(wal.End);
        decoder.End.ShouldBe(wal.End);

        decoder.Records.Sum().ShouldBe(wal.Counts["Total"]);
        decoder.Records[0].ShouldBe(wal.Counts["XLOG"]);
        decoder.Records[1].ShouldBe(wal.Counts["Transaction"]);
        decoder.Records[10].ShouldBe(wal.Counts["Heap"]);

        // pg_waldump: "rmgr: Transaction len … tx: 738, lsn: 0/018…, prev …, desc: COMMIT 2026-11-22 15:20:16.119966 UTC; …"
        string[] ends = ["desc: COMMIT", "desc: ABORT"];
        var expected = wal.Transactions.Where(l => ends.Any(e => l.Contains(e, StringComparison.Ordinal))).Select(Parse).ToList();
        events.Transactions.Select(t => (t.Xid, t.Start, t.Time, t.Committed)).ShouldBe(expected);
        foreach (var mark in wal.Marks.Append(wal.Prepared))
            events.Transactions.ShouldContain(t => t.Xid == mark.Xid && t.Time == mark.Time && t.Committed && t.End <= mark.After);
        var point = events.Points.ShouldHaveSingleItem();
        point.Name.ShouldBe("before seven");
        point.End.ShouldBe(wal.RestorePoint);
        events.Checkpoints.ShouldNotBeEmpty();
        events.Checkpoints.ShouldAllBe(
            c => c.Timeline == 1 && c.Redo <= c.Start && (wal.Backup.StopTime - c.Time).Duration() < TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData(15), InlineData(17)]
    public async Task Facts_chain_over_all_segments_also_where_a_record_is_larger_than_one(int version)
    {
        var wal = await RecordedWal.GetAsync(version);
        var chain = new WalChain();
        var crossing = 0;
        foreach (var (name, bytes) in wal.Segments)
        {
            var facts = WalSegmentFacts.FromJson(WalScan.Read(bytes, name, RecordedWal.SegmentSize, null).Facts.ToJson());
            chain.Append(facts, name.Start(RecordedWal.SegmentSize)).ShouldBeNull();
            if (facts.FirstRecord is null) crossing++;
        }

        crossing.ShouldBeGreaterThan(0);
        wal.Segments.Count.ShouldBeGreaterThan(6);
        // Ours, and those of pg_backup_start and pg_backup_stop.
        wal.Segments.Count(s => WalScan.Read(s.Bytes, s.Name, RecordedWal.SegmentSize, null).Facts.Switched).ShouldBe(3);
    }

    [Fact]
    public async Task A_flipped_byte_is_found_or_lies_where_nothing_is()
    {
        var wal = await RecordedWal.GetAsync(15);
        var random = new Random(7);
        var found = 0;
        for (var i = 0; i < 400; i++)
        {
            var at = random.Next(1, wal.Segments.Count - 1);
            var (name, bytes) = wal.Segments[at];
            var damaged = (byte[])bytes.Clone();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            var sound = WalScan.Read(bytes, name, RecordedWal.SegmentSize, null).Facts;
            var scan = WalScan.Read(damaged, name, RecordedWal.SegmentSize, null);
            if (!scan.Stop.IsComplete || Breaks(wal, at, scan.Facts)) found++;
            else System.Text.Encoding.UTF8.GetString(scan.Facts.ToJson()).ShouldBe(System.Text.Encoding.UTF8.GetString(sound.ToJson()));
        }

        found.ShouldBeGreaterThan(200); // the rest of a segment is empty after a switch
    }

    [Fact]
    public async Task No_bytes_make_the_reader_fail_otherwise_than_by_saying_so()
    {
        var wal = await RecordedWal.GetAsync(17);
        var random = new Random(11);
        for (var i = 0; i < 200; i++)
        {
            var (name, bytes) = wal.Segments[random.Next(wal.Segments.Count)];
            var hostile = (byte[])bytes.Clone();
            for (var k = random.Next(1, 4); k > 0; k--)
            {
                // Lengths, flags and remainders that promise more than there is.
                var at = random.Next(0, hostile.Length / 8192) * 8192 + (random.Next(2) == 0 ? random.Next(0, 48) : random.Next(0, 8192));
                if (at + 4 <= hostile.Length)
                    BitConverter.TryWriteBytes(
                        hostile.AsSpan(at), random.Next(3) switch { 0 => -1, 1 => int.MaxValue, _ => random.Next() });
            }

            var length = random.Next(3) == 0 ? random.Next(hostile.Length) : hostile.Length;
            var scan = WalScan.Read(hostile.AsSpan(0, length), name, RecordedWal.SegmentSize, null);
            scan.Stop.At.ShouldBeGreaterThanOrEqualTo(name.Start(RecordedWal.SegmentSize));
        }
    }

    [Fact]
    public void Crc_is_that_of_the_standard_and_combines()
    {
        // RFC 3720, B.4: 32 bytes of zeros, and 32 bytes counting up.
        (Crc32C.Update(Crc32C.Initial, new byte[32]) ^ 0xFFFFFFFF).ShouldBe(0x8A9136AAu);
        (Crc32C.Update(Crc32C.Initial, [.. Enumerable.Range(0, 32).Select(i => (byte)i)]) ^ 0xFFFFFFFF).ShouldBe(0x46DD794Eu);
        var random = new Random(3);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(0, 5000)];
            random.NextBytes(bytes);
            var cut = random.Next(0, bytes.Length + 1);
            var first = Crc32C.Update(Crc32C.Initial, bytes.AsSpan(0, cut));
            Crc32C.Combine(first, Crc32C.Update(0, bytes.AsSpan(cut)), bytes.Length - cut).ShouldBe(Crc32C.Update(Crc32C.Initial, bytes));
        }
    }

    private static bool Breaks(RecordedWal wal, int at, WalSegmentFacts facts)
    {
        var chain = new WalChain();
        for (var i = 0; i < wal.Segments.Count; i++)
        {
            var (name, bytes) = wal.Segments[i];
            var own = i == at ? facts : WalScan.Read(bytes, name, RecordedWal.SegmentSize, null).Facts;
            if (chain.Append(own, name.Start(RecordedWal.SegmentSize)) is not null) return true;
        }

        return false;
    }

    private static (uint Xid, Lsn Start, DateTimeOffset Time, bool Committed) Parse(string line)
    {
        var at = line.IndexOf("desc: ", StringComparison.Ordinal) + 6;
        var description = line[at..].Split([' ', ';'], StringSplitOptions.RemoveEmptyEntries);
        var isPrepared = description[0].EndsWith("_PREPARED", StringComparison.Ordinal);
        // "COMMIT_PREPARED 738: 2026-…" names the prepared transaction; otherwise the record's own "tx: 738," is meant.
        var xid = isPrepared ? description[1].TrimEnd(':') : Field(line, "tx:");
        var time = string.Join(' ', description.Skip(isPrepared ? 2 : 1).Take(2));
        return (uint.Parse(xid, CultureInfo.InvariantCulture), Lsn.Parse(Field(line, "lsn:")),
            DateTimeOffset.Parse(time + "Z", CultureInfo.InvariantCulture), description[0].StartsWith("COMMIT", StringComparison.Ordinal));
    }

    private static string Field(string line, string name)
    {
        var rest = line[(line.IndexOf(name, StringComparison.Ordinal) + name.Length)..].TrimStart();
        return rest[..rest.IndexOf(',', StringComparison.Ordinal)];
    }

    private sealed class Collector : IWalVisitor
    {
        public List<WalTransaction> Transactions { get; } = [];

        public List<WalRestorePoint> Points { get; } = [];

        public List<WalCheckpoint> Checkpoints { get; } = [];

        public void OnTransaction(in WalTransaction transaction) => Transactions.Add(transaction);

        public void OnRestorePoint(in WalRestorePoint point) => Points.Add(point);

        public void OnCheckpoint(in WalCheckpoint checkpoint) => Checkpoints.Add(checkpoint);

        public void OnTimelineChange(in WalTimelineChange change)
        {
        }
    }
}
