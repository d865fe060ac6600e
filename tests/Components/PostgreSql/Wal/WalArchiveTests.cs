using System.Text;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

public sealed class WalArchiveTests
{
    private const int Size = RecordedWal.SegmentSize;

    [Fact]
    public async Task The_same_segment_again_is_success_and_another_one_is_refused()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        var (name, bytes) = wal.Segments[2];
        (await test.Archive.PushAsync(name, bytes, default)).ShouldBe(WalPushOutcome.Archived);
        (await test.Archive.PushAsync(name, bytes, default)).ShouldBe(WalPushOutcome.AlreadyArchived);
        (await test.Archive.FetchAsync(name.ToString(), default)).ShouldBe(bytes);
        (await test.Archive.ListAsync(default).ToListAsync()).ShouldBe([name]);

        // A sound segment with other bytes: in the padding of a page header, which no check covers.
        var other = (byte[])bytes.Clone();
        other[21] ^= 1;
        var error = await Should.ThrowAsync<WalConflictException>(async () => await test.Archive.PushAsync(name, other, default));
        error.Message.ShouldContain(name.ToString());
        (await test.Archive.FetchAsync(name.ToString(), default)).ShouldBe(bytes);
    }

    [Fact]
    public async Task What_is_not_this_segment_of_this_cluster_is_refused()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        var (name, bytes) = wal.Full;

        var other = test.Of("7123456789012345678");
        (await RefusedAsync(other, name, bytes)).ShouldContain("7123456789012345678");
        (await RefusedAsync(test.Archive, name.Next(Size), bytes)).ShouldContain("belongs at");
        (await RefusedAsync(test.Archive, name with { Timeline = 0 }, bytes)).ShouldContain("timeline");
        (await RefusedAsync(test.Archive, name, bytes[..^1])).ShouldContain("no segment size");
        (await RefusedAsync(test.Archive, name, new byte[Size])).ShouldContain("empty");
        (await RefusedAsync(test.Archive, name, [.. bytes, .. bytes])).ShouldContain("segment says");

        var damaged = (byte[])bytes.Clone();
        damaged[Size / 2 + 100] ^= 4;
        (await RefusedAsync(test.Archive, name, damaged)).ShouldMatch(@"at LSN 0/[0-9A-F]+,");

        var cut = (byte[])bytes.Clone();
        cut.AsSpan(Size / 2).Clear();
        (await RefusedAsync(test.Archive, name, cut)).ShouldContain("at LSN");
        Should.Throw<WalFormatException>(() => test.Of("not a number"));
        string[] names = ["../../x", "000000010000000000000001/x", "00000001.historyx", "", "000000010000000000000001.0000002.backup"];
        foreach (var bad in names)
            await Should.ThrowAsync<WalFormatException>(async () => await test.Archive.FetchAsync(bad, default));
        (await test.Store.ListAsync("", default).ToListAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Parts_are_put_together_as_far_as_they_reach()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        var (name, bytes) = wal.Segments[3];
        async Task PartAsync(int begin, int end) =>
            await test.Archive.PushPartAsync(name, Size, begin, bytes.AsMemory(begin..end), default);

        (await test.Archive.FetchAsync(name.ToString(), default)).ShouldBeNull();
        await PartAsync(100_000, 200_000);
        (await test.Archive.FetchAsync(name.ToString(), default)).ShouldBeNull();
        await PartAsync(0, 70_000);
        await PartAsync(0, 70_000);
        await PartAsync(50_000, 100_001);
        await PartAsync(300_000, 400_000);
        var content = (await test.Archive.FetchSegmentAsync(name, default))!;
        content.IsComplete.ShouldBeFalse();
        content.Length.ShouldBe(200_000);
        content.Bytes.Length.ShouldBe(Size);
        content.Bytes.AsSpan(0, 200_000).SequenceEqual(bytes.AsSpan(0, 200_000)).ShouldBeTrue();
        content.Bytes.AsSpan(200_000).IndexOfAnyExcept((byte)0).ShouldBe(-1);

        await Should.ThrowAsync<WalFormatException>(async () =>
            await test.Archive.PushPartAsync(name.Next(Size), Size, 0, bytes.AsMemory(0, 9000), default));
        await Should.ThrowAsync<WalFormatException>(async () =>
            await test.Archive.PushPartAsync(name, Size, 8192, bytes.AsMemory(0, 9000), default));
        await Should.ThrowAsync<WalFormatException>(async () =>
            await test.Archive.PushPartAsync(name, Size, Size - 10, bytes.AsMemory(0, 11), default));
        await Should.ThrowAsync<WalFormatException>(async () =>
            await test.Archive.PushPartAsync(name, 12345, 0, bytes.AsMemory(0, 11), default));

        await test.Archive.PushAsync(name, bytes, default);
        (await test.Archive.FetchAsync(name.ToString(), default)).ShouldBe(bytes);
    }

    [Fact]
    public async Task Histories_labels_and_partial_segments_have_their_place()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        var history = "1\t0/3000158\tno recovery target specified\n"u8.ToArray();
        (await test.Archive.PushFileAsync("00000002.history", history, default)).ShouldBe(WalPushOutcome.Archived);
        (await test.Archive.PushFileAsync("00000002.history", history, default)).ShouldBe(WalPushOutcome.AlreadyArchived);
        await Should.ThrowAsync<WalConflictException>(async () =>
            await test.Archive.PushHistoryAsync(2, "1\t0/4000158\tother\n"u8.ToArray(), default));
        await Should.ThrowAsync<WalFormatException>(async () =>
            await test.Archive.PushHistoryAsync(3, "5\t0/4000158\tx\n"u8.ToArray(), default));
        await Should.ThrowAsync<WalFormatException>(async () =>
            await test.Archive.PushHistoryAsync(3, Encoding.UTF8.GetBytes("garbage"), default));
        (await test.Archive.FetchAsync("00000002.history", default)).ShouldBe(history);
        (await test.Archive.FetchAsync("00000003.history", default)).ShouldBeNull();
        (await test.Archive.GetHistoryAsync(2, default)).SwitchedFrom(1).ShouldBe(Lsn.Parse("0/3000158"));

        var (name, bytes) = wal.Segments[4];
        var label = name + ".00000028.backup";
        await test.Archive.PushFileAsync(label, "START WAL LOCATION: 0/1"u8.ToArray(), default);
        (await test.Archive.FetchAsync(label, default)).ShouldBe("START WAL LOCATION: 0/1"u8.ToArray());
        (await test.Archive.PushFileAsync(name + ".partial", bytes, default)).ShouldBe(WalPushOutcome.Archived);
        (await test.Archive.FetchAsync(name + ".partial", default)).ShouldBe(bytes);
        // Nothing better is there: recovery along the old timeline may use it.
        (await test.Archive.FetchAsync(name.ToString(), default)).ShouldBe(bytes);
        (await test.Archive.ListAsync(default).ToListAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_damaged_object_is_never_handed_out()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        var (name, bytes) = wal.Segments[2];
        await test.Archive.PushAsync(name, bytes, default);
        var stored = test.Store.Get(test.Name(name));
        foreach (var at in new[] { 5, 200, stored.Length / 2, stored.Length - 1 })
        {
            var damaged = (byte[])stored.Clone();
            damaged[at] ^= 0x10;
            test.Store.Overwrite(test.Name(name), damaged);
            var error = await Should.ThrowAsync<DamageException>(async () => await test.Archive.FetchAsync(name.ToString(), default));
            error.ObjectName.ShouldBe(test.Name(name));
        }
    }

    [Fact]
    public async Task Pruning_takes_what_no_kept_backup_can_need()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        await test.Archive.PushPartAsync(wal.Segments[5].Name, Size, 0, wal.Segments[5].Bytes.AsMemory(0, 500), default);
        await test.Archive.PushHistoryAsync(2, "1\t0/3000158\tx\n"u8.ToArray(), default);
        async Task<string[]> GoAsync(params (uint, Lsn)[] kept) =>
            [.. (await test.Archive.ObsoleteAsync(
                kept.ToDictionary(k => k.Item1, k => k.Item2), Size, default).ToListAsync()).Select(o => o.Name)];

        var part = test.Name(wal.Segments[5].Name) + ".parts/00000000-000001F4";
        (await GoAsync()).ShouldBe([part]);
        var start = wal.Segments[3].Name.Start(Size) + 40;
        (await GoAsync((1, start))).ShouldBe([.. wal.Segments.Take(3).Select(s => test.Name(s.Name)), part], ignoreOrder: true);
        // A backup on a later timeline alone: the earlier one's segments before it go, the one it may begin in stays.
        (await GoAsync((2, start))).ShouldBe([.. wal.Segments.Take(3).Select(s => test.Name(s.Name)), part], ignoreOrder: true);
        // One of each: what leads from the older to the newer stays.
        (await GoAsync((1, start), (2, wal.End))).ShouldBe(
            [.. wal.Segments.Take(3).Select(s => test.Name(s.Name)), part], ignoreOrder: true);
    }

    private static async Task<string> RefusedAsync(WalArchive archive, WalSegmentName name, byte[] bytes) =>
        (await Should.ThrowAsync<WalFormatException>(async () => await archive.PushAsync(name, bytes, default))).Message;
}
