using System.Text;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

public sealed class RecoveryWindowTests
{
    private const int Size = RecordedWal.SegmentSize;

    [Theory]
    [InlineData(15, false), InlineData(15, true), InlineData(17, false)]
    public async Task The_window_ends_with_the_last_record_and_the_last_commit(int version, bool deep)
    {
        var wal = await RecordedWal.GetAsync(version);
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        var window = await test.Archive.FindWindowAsync(wal.Backup, null, deep, default);
        window.Gap.ShouldBeNull();
        window.BeginLsn.ShouldBe(Lsn.Parse(wal.Backup.StopLsn));
        window.EndLsn.ShouldBe(wal.End);
        window.Timeline.ShouldBe(1u);
        // The last row's filler committed after it.
        window.EndTime!.Value.ShouldBeGreaterThan(wal.Marks[^1].Time);
        window.EndTime.Value.ShouldBeLessThan(wal.Marks[^1].Time.AddMinutes(1));
        window.KnownUntil!.Value.ShouldBeGreaterThanOrEqualTo(window.EndTime.Value);
        (await test.Archive.VerifyAsync(wal.Backup, null, deep, default)).IsSound.ShouldBeTrue();
    }

    [Theory]
    [InlineData(15), InlineData(17)]
    public async Task Wherever_the_wal_is_cut_the_window_ends_at_the_last_whole_record_before(int version)
    {
        var wal = await RecordedWal.GetAsync(version);
        var random = new Random(5);
        foreach (var (name, bytes) in wal.Segments.Skip(2).Append(wal.Current))
        {
            if (name.Start(Size) <= Lsn.Parse(wal.Backup.StopLsn)) continue;
            using var test = new TestArchive(wal.SystemIdentifier);
            await wal.ArchiveAsync(test.Archive, n => n.Start(Size) < name.Start(Size));
            var cut = random.Next(1, bytes.Length);
            await test.Archive.PushPartAsync(name, Size, 0, bytes.AsMemory(0, cut), default);
            var window = await test.Archive.FindWindowAsync(wal.Backup, null, default);
            window.Gap.ShouldBeNull();
            (await test.Archive.FindWindowAsync(wal.Backup, null, deep: true, default)).ShouldBe(window);
            // A switch reaches to the end of its segment.
            if (window.EndLsn != name.Next(Size).Start(Size)) window.EndLsn.ShouldBeLessThanOrEqualTo(name.Start(Size) + (ulong)cut);
            var expected = wal.Marks.Append(wal.Prepared).Where(m => m.After <= window.EndLsn).MaxBy(m => m.After)!;
            window.EndTime!.Value.ShouldBeGreaterThanOrEqualTo(expected.Time);
            // No later mark's commit can be in it.
            foreach (var later in wal.Marks.Where(m => m.After.Value > window.EndLsn.Value + 200))
                window.EndTime.Value.ShouldBeLessThan(later.Time);
        }
    }

    [Fact]
    public async Task What_the_old_timeline_has_behind_the_fork_is_no_gap_in_the_new_one()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        // The new timeline's first segment is a copy of the old one's up to the fork; nothing was written on it yet.
        var fork = wal.Marks[8].After;
        var (old, bytes) = wal.Segments.Single(s => s.Name == wal.Containing(fork));
        var length = (int)(fork.Value - old.Start(Size).Value);
        await test.Archive.PushHistoryAsync(2, Encoding.ASCII.GetBytes($"1\t{fork}\tno recovery target specified\n"), default);
        await test.Archive.PushPartAsync(old with { Timeline = 2 }, Size, 0, bytes.AsMemory(0, length), default);
        foreach (var deep in new[] { false, true })
        {
            var window = await test.Archive.FindWindowAsync(wal.Backup, null, deep, default);
            window.Timeline.ShouldBe(2u);
            window.EndLsn.ShouldBe(fork);
            window.EndTime.ShouldBe(wal.Marks[8].Time);
            window.Gap.ShouldBeNull();
            (await test.Archive.FindWindowAsync(wal.Backup, 1, deep, default)).EndLsn.ShouldBe(wal.End);
        }

        // Without the copy, the old timeline leads to the fork and no further.
        foreach (var name in test.Store.Names.Where(n => n.Contains("/00000002/", StringComparison.Ordinal)).ToList())
            await test.Store.DeleteAsync(name, default);
        var without = await test.Archive.FindWindowAsync(wal.Backup, 2, default);
        without.EndLsn.ShouldBe(fork);
        without.EndTime.ShouldBe(wal.Marks[8].Time);
        without.KnownUntil.ShouldBe(wal.Marks[8].Time);
        await Should.ThrowAsync<UnreachableTargetException>(
            async () => await test.Archive.ResolveTargetAsync(wal.Backup, new RecoveryTarget.AtXid(wal.Marks[9].Xid), 2, default));
        without.Gap.ShouldBeNull();
    }

    [Fact]
    public async Task A_missing_segment_is_a_gap_if_more_follows_it()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        var missing = wal.Containing(wal.Marks[9].After);
        await wal.ArchiveAsync(test.Archive, n => n != missing);
        var window = await test.Archive.FindWindowAsync(wal.Backup, null, default);
        window.Gap!.ShouldContain(missing.ToString());
        window.EndLsn.ShouldBeLessThanOrEqualTo(missing.Start(Size));
        var found = await test.Archive.VerifyAsync(wal.Backup, null, false, default);
        var problem = found.Problems.ShouldHaveSingleItem();
        problem.Message.ShouldContain(missing.ToString());
        problem.BreaksBackup.ShouldBeFalse();

        // Behind the gap is what tells of it; without that, the archive just ends there.
        foreach (var later in test.Store.Names.Where(n => string.CompareOrdinal(n, test.Name(missing)) > 0).ToList())
            await test.Store.DeleteAsync(later, default);
        (await test.Archive.FindWindowAsync(wal.Backup, null, default)).Gap.ShouldBeNull();
        (await test.Archive.VerifyAsync(wal.Backup, null, false, default)).IsSound.ShouldBeTrue();
    }

    [Fact]
    public async Task A_backup_without_its_own_wal_is_broken()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        var needed = wal.Containing(Lsn.Parse(wal.Backup.StartLsn));
        await wal.ArchiveAsync(test.Archive, n => n != needed);
        var found = await test.Archive.VerifyAsync(wal.Backup, null, false, default);
        var problem = found.Problems.ShouldHaveSingleItem();
        problem.BreaksBackup.ShouldBeTrue();
        problem.Message.ShouldContain(needed.ToString());
        found.Window.EndLsn.ShouldBeLessThan(found.Window.BeginLsn);
        await Should.ThrowAsync<UnreachableTargetException>(
            async () => await test.Archive.ResolveTargetAsync(wal.Backup, new RecoveryTarget.AtName("before seven"), null, default));
    }

    [Fact]
    public async Task Damage_is_found_by_reading_and_named()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        var name = wal.Containing(wal.Marks[8].After);
        var stored = test.Store.Get(test.Name(name));
        test.Store.Flip(test.Name(name), stored.Length / 2);
        var deep = await test.Archive.VerifyAsync(wal.Backup, null, true, default);
        var problem = deep.Problems.ShouldHaveSingleItem();
        problem.ObjectName.ShouldBe(test.Name(name));
        problem.BreaksBackup.ShouldBeFalse();
        deep.Window.EndLsn.ShouldBeLessThanOrEqualTo(name.Start(Size));
    }

    [Theory]
    [InlineData(15), InlineData(17)]
    public async Task Each_kind_of_target_stops_where_the_server_would(int version)
    {
        var wal = await RecordedWal.GetAsync(version);
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        ValueTask<ResolvedTarget> ResolveAsync(RecoveryTarget target) => test.Archive.ResolveTargetAsync(wal.Backup, target, null, default);

        for (var i = 4; i < wal.Marks.Count; i++)
        {
            var mark = wal.Marks[i];
            var atTime = await ResolveAsync(new RecoveryTarget.AtTime(mark.Time));
            atTime.LastCommit.ShouldBe(mark.Time);
            atTime.StopLsn.ShouldBeGreaterThanOrEqualTo(mark.After);
            var before = await ResolveAsync(new RecoveryTarget.AtTime(mark.Time, Inclusive: false));
            before.StopLsn.ShouldBeLessThan(mark.After);
            before.LastCommit!.Value.ShouldBeLessThan(mark.Time);

            var atXid = await ResolveAsync(new RecoveryTarget.AtXid(mark.Xid));
            atXid.LastCommit.ShouldBe(mark.Time);
            atXid.StopLsn.ShouldBeLessThanOrEqualTo(mark.After);
            (await ResolveAsync(new RecoveryTarget.AtXid(mark.Xid, Inclusive: false))).LastCommit!.Value.ShouldBeLessThan(mark.Time);

            var atLsn = await ResolveAsync(new RecoveryTarget.AtLsn(mark.After));
            atLsn.LastCommit.ShouldBe(mark.Time);
            atLsn.IsEndOfWal.ShouldBeFalse();
        }

        (await ResolveAsync(new RecoveryTarget.AtXid(wal.Prepared.Xid))).LastCommit.ShouldBe(wal.Prepared.Time);
        var named = await ResolveAsync(new RecoveryTarget.AtName("before seven"));
        named.StopLsn.ShouldBe(wal.RestorePoint);
        var end = await ResolveAsync(new RecoveryTarget.AtLsn(wal.End));
        end.IsEndOfWal.ShouldBeTrue();
        end.StopLsn.ShouldBe(wal.End);
    }

    [Fact]
    public async Task A_target_out_of_reach_is_refused_with_the_window()
    {
        var wal = await RecordedWal.GetAsync(15);
        using var test = new TestArchive(wal.SystemIdentifier);
        await wal.ArchiveAsync(test.Archive);
        async Task<string> RefusedAsync(RecoveryTarget target)
        {
            var error = await Should.ThrowAsync<UnreachableTargetException>(async () => await test.Archive.ResolveTargetAsync(
                wal.Backup, target, null, default));
            error.Window!.EndLsn.ShouldBe(wal.End);
            error.Message.ShouldContain($"LSN {wal.Backup.StopLsn}");
            error.Message.ShouldContain($"LSN {wal.End}");
            return error.Message;
        }

        (await RefusedAsync(new RecoveryTarget.AtTime(wal.Backup.StartTime))).ShouldContain("before the end of the base backup");
        (await RefusedAsync(new RecoveryTarget.AtTime(wal.Marks[^1].Time.AddDays(1)))).ShouldContain("not in the archived WAL");
        (await RefusedAsync(new RecoveryTarget.AtLsn(Lsn.Parse(wal.Backup.StartLsn)))).ShouldContain("before the end of the base backup");
        (await RefusedAsync(new RecoveryTarget.AtLsn(wal.End + 8))).ShouldContain("not in the archived WAL");
        (await RefusedAsync(new RecoveryTarget.AtName("nobody made this"))).ShouldContain("'nobody made this'");
        (await RefusedAsync(new RecoveryTarget.AtXid(4_000_000_000))).ShouldContain("transaction 4000000000");
        // Its transaction committed while the backup was taken: no server is consistent there.
        (await RefusedAsync(new RecoveryTarget.AtXid(wal.Marks[2].Xid))).ShouldContain("before the end of the base backup");
        await Should.ThrowAsync<UnreachableTargetException>(async () => await test.Archive.FindWindowAsync(wal.Backup, 7, default));
    }
}
