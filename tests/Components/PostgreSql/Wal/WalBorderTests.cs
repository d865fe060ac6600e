using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

/// <summary>Records at the borders of pages and segments, where what is known of one segment must fit what is known of the next.</summary>
public sealed class WalBorderTests
{
    private const int Size = SyntheticWal.Size;

    [Theory]
    [InlineData(8, 100), InlineData(16, 100), InlineData(24, 100), InlineData(32, 33), InlineData(0, 50)]
    [InlineData(40, 3 * Size), InlineData(8, 2 * Size), InlineData(8, 25), InlineData(16, 24), InlineData(4000, 20_000)]
    public void A_record_over_the_border_is_checked_from_both_sides(int left, int length)
    {
        var wal = new SyntheticWal();
        wal.FillUntil(left);
        wal.Append(length);
        wal.FillUntil(0);
        var segments = wal.Segments();
        Read(segments).ShouldBe((wal.Records, null));
        Chain(segments).ShouldBeNull();

        // Any byte of the record, in whichever segment it lies.
        if (left == 0) return;
        for (var i = 0; i < 60; i++)
        {
            var at = Size - left + (int)((long)(length + left) * i / 120);
            var (segment, offset) = (at / Size, at % Size);
            if (segment > 0 && offset % 8192 < WalPageHeader.LongSize) continue;
            if (segment >= segments.Count) break;
            var damaged = segments.Select(s => (s.Name, (byte[])s.Bytes.Clone())).ToList();
            if (at - (Size - left) >= length) break;
            damaged[segment].Item2[offset] ^= 0x40;
            (Chain(damaged) ?? Read(damaged).Problem).ShouldNotBeNull($"byte {offset} of segment {segment}");
        }
    }

    [Theory]
    [InlineData(16), InlineData(400), InlineData(50_000)]
    public void A_record_lost_by_a_crash_and_written_over_is_left_out(int left)
    {
        // In the middle of a segment, and over the border of two.
        foreach (var target in new[] { 65_536 + 16, left % 8192 })
        {
            var wal = new SyntheticWal();
            wal.FillUntil(target);
            wal.Abandon(9000);
            wal.Append(200);
            wal.FillUntil(0);
            var segments = wal.Segments();
            Read(segments).ShouldBe((wal.Records, null));
            Chain(segments).ShouldBeNull();
        }
    }

    [Fact]
    public void A_record_that_the_next_segment_does_not_continue_is_a_break()
    {
        var one = new SyntheticWal();
        one.FillUntil(16);
        one.Append(200);
        one.FillUntil(0);
        var other = new SyntheticWal();
        other.FillUntil(0);
        other.Append(200);
        other.FillUntil(0);
        List<(WalSegmentName, byte[])> mixed = [one.Segments()[0], other.Segments()[1]];
        Chain(mixed)!.ShouldContain("does not continue the record");
        Read(mixed).Problem!.ShouldContain("does not continue the record");
        mixed = [other.Segments()[0], one.Segments()[1]];
        Chain(mixed)!.ShouldContain("does not leave open");
        Read(mixed).Problem.ShouldNotBeNull();
    }

    [Fact]
    public void The_fewest_parts_that_reach_furthest_are_chosen()
    {
        var random = new Random(1);
        for (var round = 0; round < 500; round++)
        {
            var begins = Enumerable.Range(0, random.Next(0, 12)).Select(_ => random.Next(0, 30));
            var parts = begins.Select(b => (b, b + random.Next(1, 12))).ToList();
            var reached = 0;
            while (parts.Where(p => p.b <= reached && p.Item2 > reached).Select(p => (int?)p.Item2).Max() is { } next) reached = next;
            var cover = WalArchive.Cover([.. parts]);
            (cover.Count == 0 ? 0 : cover[^1].End).ShouldBe(reached);
            for (var i = 0; i < cover.Count; i++) cover[i].Begin.ShouldBeLessThanOrEqualTo(i == 0 ? 0 : cover[i - 1].End);
            for (var i = 2; i < cover.Count; i++) cover[i].Begin.ShouldBeGreaterThan(cover[i - 2].End);
        }
    }

    /// <summary>Whole records read, and what stopped the reader before the end.</summary>
    private static (int Records, string? Problem) Read(List<(WalSegmentName Name, byte[] Bytes)> segments)
    {
        var decoder = new WalDecoder(Size, SyntheticWal.System, null);
        foreach (var (name, bytes) in segments)
        {
            var stop = decoder.Feed(bytes, name.Start(Size), 1);
            if (!stop.IsComplete) return ((int)decoder.Records.Sum(), stop.Reason);
        }

        return ((int)decoder.Records.Sum(), null);
    }

    private static string? Chain(List<(WalSegmentName Name, byte[] Bytes)> segments)
    {
        var chain = new WalChain();
        foreach (var (name, bytes) in segments)
        {
            var scan = WalScan.Read(bytes, name, Size, SyntheticWal.System);
            if (!scan.Stop.IsComplete) return scan.Stop.Reason;
            if (chain.Append(WalSegmentFacts.FromJson(scan.Facts.ToJson()), name.Start(Size)) is { } problem) return problem;
        }

        return null;
    }
}
