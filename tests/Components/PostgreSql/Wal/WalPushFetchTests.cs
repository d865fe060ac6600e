using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Archiving;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

/// <summary>archive_command and restore_command on a data directory as a server leaves it.</summary>
public sealed class WalPushFetchTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fbwal").FullName;

    private string Data => Path.Combine(_root, "data");

    private string Spool => Path.Combine(_root, "spool");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task One_push_takes_the_waiting_ones_along_and_they_are_then_answered_without_the_repository()
    {
        var wal = await PrepareAsync();
        using var test = new TestArchive(wal.SystemIdentifier);
        var push = Push(test);
        var first = await push.RunAsync("pg_wal/" + wal.Segments[0].Name, Data, default);
        first.Outcome.ShouldBe(WalPushOutcome.Archived);
        first.WasAcknowledged.ShouldBeFalse();
        first.Others.ShouldBe(wal.Segments.Count - 1);
        first.Warnings.ShouldBeEmpty();
        test.Opened.ShouldBe(1);
        (await test.Archive.ListAsync(default).ToListAsync()).ShouldBe(wal.Segments.Select(s => s.Name));

        foreach (var (name, _) in wal.Segments.Skip(1))
            (await push.RunAsync(Path.Combine(Data, "pg_wal", name.ToString()), null, default)).WasAcknowledged.ShouldBeTrue();
        test.Opened.ShouldBe(1);

        // An acknowledgement counts once; the server asks again only after a crash.
        var again = await push.RunAsync("pg_wal/" + wal.Segments[1].Name, Data, default);
        again.Outcome.ShouldBe(WalPushOutcome.AlreadyArchived);
        again.WasAcknowledged.ShouldBeFalse();
    }

    [Fact]
    public async Task An_acknowledgement_of_other_bytes_does_not_count()
    {
        var wal = await PrepareAsync();
        using var test = new TestArchive(wal.SystemIdentifier);
        await Push(test).RunAsync("pg_wal/" + wal.Segments[0].Name, Data, default);
        var (name, bytes) = wal.Segments[1];
        var other = (byte[])bytes.Clone();
        other[21] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(Data, "pg_wal", name.ToString()), other);
        await Should.ThrowAsync<WalConflictException>(async () => await Push(test).RunAsync("pg_wal/" + name, Data, default));
        test.Opened.ShouldBe(2);
    }

    [Fact]
    public async Task What_is_wrong_with_the_others_does_not_fail_the_one_asked_for()
    {
        var wal = await PrepareAsync();
        using var test = new TestArchive(wal.SystemIdentifier);
        var (bad, bytes) = wal.Segments[2];
        await File.WriteAllBytesAsync(Path.Combine(Data, "pg_wal", bad.ToString()), bytes[..4096]);
        var result = await Push(test).RunAsync("pg_wal/" + wal.Segments[0].Name, Data, default);
        result.Outcome.ShouldBe(WalPushOutcome.Archived);
        result.Others.ShouldBe(wal.Segments.Count - 2);
        result.Warnings.ShouldHaveSingleItem().ShouldContain(bad.ToString());
        await Should.ThrowAsync<WalFormatException>(async () => await Push(test).RunAsync("pg_wal/" + bad, Data, default));
        (await Should.ThrowAsync<WalFormatException>(async () =>
            await Push(test).RunAsync("pg_wal/postgresql.conf", Data, default))).Message.ShouldContain("%p");
        (await Should.ThrowAsync<WalFormatException>(async () =>
            await Push(test).RunAsync("pg_wal/0000000100000000000000FF", Data, default))).Message.ShouldContain("does not exist");
        (await Should.ThrowAsync<WalFormatException>(async () =>
            await Push(test).RunAsync("pg_wal/" + wal.Segments[0].Name, _root, default))).Message.ShouldContain("pg_control");
    }

    [Fact]
    public async Task A_run_takes_no_more_than_its_bounds()
    {
        var wal = await PrepareAsync();
        using var test = new TestArchive(wal.SystemIdentifier);
        var options = new WalPushOptions { SpoolDirectory = Spool, MaximumFiles = 3 };
        (await RunAsync()).Others.ShouldBe(3);
        options = options with { MaximumFiles = 64, MaximumBytes = 2 * RecordedWal.SegmentSize };
        (await RunAsync()).Others.ShouldBe(2);
        options = options with { MaximumTime = TimeSpan.FromSeconds(-1) };
        (await RunAsync()).Others.ShouldBe(0);

        async Task<WalPushResult> RunAsync() =>
            await new WalPush(options, test.Opener, TimeProvider.System).RunAsync("pg_wal/" + wal.Segments[0].Name, Data, default);
    }

    [Fact]
    public async Task Fetch_brings_segments_ahead_and_says_when_there_is_no_more()
    {
        var wal = await PrepareAsync();
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        var fetch = Fetch(test, ahead: 3);
        var target = Path.Combine(Data, "pg_wal", "RECOVERYXLOG");
        var outcomes = new List<WalFetchOutcome>();
        foreach (var (name, bytes) in wal.Segments)
        {
            outcomes.Add(await fetch.RunAsync(name.ToString(), "pg_wal/RECOVERYXLOG", Data, default));
            (await File.ReadAllBytesAsync(target)).ShouldBe(bytes);
            File.Delete(target);
        }

        outcomes.Count(o => o == WalFetchOutcome.FromArchive).ShouldBe((wal.Segments.Count + 3) / 4);
        test.Opened.ShouldBe((wal.Segments.Count + 3) / 4);

        // The last segment comes from a part, and is never kept.
        (await fetch.RunAsync(wal.Current.Name.ToString(), target, Data, default)).ShouldBe(WalFetchOutcome.FromArchive);
        new FileInfo(target).Length.ShouldBe(RecordedWal.SegmentSize);
        File.Delete(target);
        var next = wal.Current.Name.Next(RecordedWal.SegmentSize).ToString();
        string[] missing = [next, "00000002.history", wal.Segments[1].Name + ".partial"];
        foreach (var absent in missing)
            (await fetch.RunAsync(absent, target, Data, default)).ShouldBe(WalFetchOutcome.NotFound);
        File.Exists(target).ShouldBeFalse();
        Directory.GetFiles(Spool, "*", SearchOption.AllDirectories).ShouldBeEmpty();
        await Should.ThrowAsync<WalFormatException>(async () => await fetch.RunAsync("../secret", target, Data, default));
    }

    [Fact]
    public async Task What_waits_in_the_spool_is_checked_before_it_is_used()
    {
        var wal = await PrepareAsync();
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        var fetch = Fetch(test, ahead: 2);
        var target = Path.Combine(_root, "out");
        await fetch.RunAsync(wal.Segments[0].Name.ToString(), target, Data, default);
        var waiting = Directory.GetFiles(Spool, wal.Segments[1].Name + ".*", SearchOption.AllDirectories).ShouldHaveSingleItem();
        await File.WriteAllBytesAsync(waiting, new byte[RecordedWal.SegmentSize]);
        (await fetch.RunAsync(wal.Segments[1].Name.ToString(), target, Data, default)).ShouldBe(WalFetchOutcome.FromArchive);
        (await File.ReadAllBytesAsync(target)).ShouldBe(wal.Segments[1].Bytes);

        // Two at once: each gets the whole segment.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
        {
            var own = Path.Combine(_root, "out" + i);
            await Fetch(test, ahead: 2).RunAsync(wal.Segments[2].Name.ToString(), own, Data, default);
            (await File.ReadAllBytesAsync(own)).ShouldBe(wal.Segments[2].Bytes);
        }));
    }

    private WalPush Push(TestArchive test) => new(new WalPushOptions { SpoolDirectory = Spool }, test.Opener, TimeProvider.System);

    private WalFetch Fetch(TestArchive test, int ahead) =>
        new(new WalFetchOptions { SpoolDirectory = Spool, Ahead = ahead }, test.Opener, TimeProvider.System);

    private async Task<RecordedWal> PrepareAsync()
    {
        var wal = await RecordedWal.GetAsync(15);
        Directory.CreateDirectory(Path.Combine(Data, "global"));
        var control = new byte[8192];
        BitConverter.TryWriteBytes(control, ulong.Parse(wal.SystemIdentifier));
        BitConverter.TryWriteBytes(control.AsSpan(8), 1300);
        await File.WriteAllBytesAsync(Path.Combine(Data, "global", "pg_control"), control);
        var status = Directory.CreateDirectory(Path.Combine(Data, "pg_wal", "archive_status")).FullName;
        foreach (var (name, bytes) in wal.Segments)
        {
            await File.WriteAllBytesAsync(Path.Combine(Data, "pg_wal", name.ToString()), bytes);
            await File.WriteAllBytesAsync(Path.Combine(status, name + ".ready"), []);
        }

        return wal;
    }
}
