using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Tests.Components.Files.Units;

/// <summary>Units of a run, put together, are what one pass makes.</summary>
public sealed class FilesUnitTests : FilesTestBase
{
    private static readonly FilesPlannerOptions Small = new() { UnitBytes = 64 << 10, UnitEntries = 12 };
    private int _runs;

    [Fact]
    public async Task Units_together_have_the_catalog_of_a_single_pass()
    {
        MakeNastyTree();
        var single = await BackUpAsync(o => o with { Exclude = ["*.tmp"] });
        var (joined, plan) = await RunAsync(Small, o => o with { Exclude = ["*.tmp"], Full = true });
        plan.Units.Count.ShouldBeGreaterThan(5);
        (await EntriesAsync(joined)).ShouldBe(await EntriesAsync(single));
        joined.Statistics.Entries.ShouldBe(single.Statistics.Entries);
        joined.Statistics.Files.ShouldBe(single.Statistics.Files);
        joined.Statistics.LogicalBytes.ShouldBe(single.Statistics.LogicalBytes);
        var (one, other) = (FilesBackupDetails.FromJson(joined.Details)!, FilesBackupDetails.FromJson(single.Details)!);
        one.Excluded.ShouldBe(other.Excluded);
        one.Sockets.ShouldBe(other.Sockets);
        one.Paths.ShouldBe(other.Paths);
        one.Users.OrderBy(u => u.Key).ShouldBe(other.Users.OrderBy(u => u.Key));
        await RestoreAsync(joined);
        Tree.Shell("find source -name '*.tmp' -delete; find source -type s -delete; touch -r target source");
        var (actual, expected) = (Names("target"), Names("source"));
        actual.ShouldBe(expected);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task However_it_is_divided(int entries)
    {
        MakeNastyTree();
        var single = await BackUpAsync();
        var (joined, _) = await RunAsync(new FilesPlannerOptions { UnitBytes = long.MaxValue, UnitEntries = entries, MaximumUnits = 10_000 }, o => o with { Full = true });
        (await EntriesAsync(joined)).ShouldBe(await EntriesAsync(single));
        await RestoreAsync(joined);
        Tree.Shell("find source -type s -delete; touch -r target/zz source/zz; touch -r target source");
        ShouldBeRestored();
    }

    [Fact]
    public async Task There_are_never_more_units_than_allowed_and_they_cover_everything()
    {
        for (var i = 0; i < 500; i++) Tree.Write($"source/{i % 10}/{i}", "x");
        for (var maximum = 1; maximum < 12; maximum++)
        {
            var (joined, plan) = await RunAsync(new FilesPlannerOptions { UnitEntries = 3, MaximumUnits = maximum }, o => o with { Full = true });
            plan.Units.Count.ShouldBeLessThanOrEqualTo(maximum);
            plan.Boundaries.Count.ShouldBe(plan.Units.Count - 1);
            plan.Units.Sum(u => u.Entries).ShouldBe(511);
            joined.Statistics.Entries.ShouldBe(511);
        }
    }

    [Fact]
    public async Task Unchanged_files_are_taken_over_in_every_unit()
    {
        MakeNastyTree();
        var before = await BackUpAsync();
        var (joined, _) = await RunAsync(Small);
        joined.Kind.ShouldBe("incremental");
        joined.Parent.ShouldBe(before.Id);
        joined.Statistics.ReadBytes.ShouldBe(0);
        (await EntriesAsync(joined)).ShouldBe(await EntriesAsync(before));
    }

    [Fact]
    public async Task A_parent_that_is_removed_meanwhile_costs_reading_and_nothing_else()
    {
        MakeNastyTree();
        var before = await BackUpAsync();
        var (joined, _) = await RunAsync(Small, between: async () => await Repository.Snapshots.DeleteAsync(before.Id, CancellationToken.None));
        joined.Parent.ShouldBeNull();
        joined.Statistics.ReadBytes.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task An_inode_that_went_to_another_file_between_the_units_does_not_join_them()
    {
        Tree.Write("source/a/one", "the first");
        File.CreateSymbolicLink(Tree["source/b"], "nowhere");
        Tree.Shell("ln source/a/one source/z1; ln source/a/one source/z2");
        var (joined, _) = await RunAsync(
            new FilesPlannerOptions { UnitEntries = 3 }, change: null,
            between: () =>
            {
                // The same inode, other bytes: as if it had been removed and given to another file.
                using var file = new FileStream(Tree["source/z1"], FileMode.Open);
                file.SetLength(0);
                file.Write("quite another"u8);
                return Task.CompletedTask;
            }, betweenAfter: 1);
        var entries = await Repository.ReadCatalogAsync(joined, CancellationToken.None).ToListAsync();
        entries.Single(e => e.Path.Span.SequenceEqual("source/z1"u8)).HardLinkTo.IsEmpty.ShouldBeTrue();
        await RestoreAsync(joined);
        (await File.ReadAllTextAsync(Tree["target/a/one"])).ShouldBe("the first");
        (await File.ReadAllTextAsync(Tree["target/z1"])).ShouldBe("quite another");
    }

    private string Names(string folder) => Tree.Shell($"cd {folder} && find . -printf '%p %y %n %s\\n' | LC_ALL=C sort");

    private void MakeNastyTree()
    {
        for (var i = 0; i < 40; i++) Tree.Write($"source/many/{i:000}", TempTree.RandomBytes(i * 300, i));
        for (var i = 0; i < 6; i++) Tree.Write($"source/large/{i}", TempTree.RandomBytes(90_000, 100 + i));
        Tree.Shell("""
            cd source
            mkdir -p 'a' 'a-b' 'a.b' 'a/deep/er/and/deeper' 'empty' 'ä ö' 'zz'
            echo 1 > 'a/file'; echo 2 > 'a-b/file'; echo 3 > 'a.b/file'; echo 4 > 'a/deep/er/and/deeper/file'
            touch "$(printf 'odd\xff\x01name')" $'new\nline' ' leading' 'a file'
            ln -s nowhere dangling; ln -s a/file good; mkfifo pipe
            ln many/001 zz/link-to-1; ln many/039 a/link-to-39; ln large/0 zz/large; ln large/0 a/large; ln zz/large many/also
            truncate -s 1M sparse; echo end >> sparse
            python3 -c "import socket; s=socket.socket(socket.AF_UNIX); s.bind('zz/sock')"
            echo t > a/x.tmp; echo t > zz/y.tmp
            """);
    }

    private async Task<(Snapshot Snapshot, FilesPlan Plan)> RunAsync(
        FilesPlannerOptions sizes, Func<FilesBackupOptions, FilesBackupOptions>? change = null, Func<Task>? between = null, int betweenAfter = 0)
    {
        var clock = new MinuteAhead();
        var options = new FilesBackupOptions("voice_data", [Tree["source"]]);
        options = change?.Invoke(options) ?? options;
        var backup = new FilesBackup(Repository, clock);
        var runs = new BackupRuns(Repository);
        var id = RunIds.Create(clock.GetUtcNow(), (uint)++_runs);
        FilesPlan plan = null!;
        await runs.BeginAsync(
            id, clock.GetUtcNow(),
            async token =>
            {
                plan = await new FilesPlanner(backup).PlanAsync(options, sizes, token);
                return [];
            },
            CancellationToken.None);
        var units = Enumerable.Range(0, plan.Units.Count).Select(i => $"voice_data.{i + 1:0000}").ToList();
        for (var i = 0; i < units.Count; i++)
        {
            if (i == betweenAfter && between is not null) await between();
            var unit = await runs.JoinAsync(id, units[i], CancellationToken.None);
            await backup.RunUnitAsync(unit, plan, i, 2, null, CancellationToken.None);
        }

        var commit = (await RunCommit.OpenAsync(Repository, id, CancellationToken.None)).ShouldNotBeNull();
        var snapshot = await commit.CommitAsync("voice_data", units, FilesPlan.MergeDetails, CancellationToken.None);
        await commit.CompleteAsync([new PointComponent { Component = "voice_data", SnapshotId = snapshot.Id }], CancellationToken.None);
        return (snapshot, plan);
    }

    /// <summary>Everything of each entry, as text.</summary>
    private async Task<List<string>> EntriesAsync(Snapshot snapshot) => await Repository.ReadCatalogAsync(snapshot, CancellationToken.None)
        .Select(e => string.Join(
            '|', Convert.ToHexString(e.Path.Span), e.Kind, e.Mode, e.UserId, e.GroupId, e.ModifiedNanoseconds, e.ChangedNanoseconds, e.Inode,
            e.Device, e.SpecialDevice, Convert.ToHexString(e.LinkTarget.Span), Convert.ToHexString(e.HardLinkTo.Span),
            e.Content is null ? "" : PartLink.Fingerprint(e.Content), string.Join(',', e.ExtendedAttributes.Select(a => Convert.ToHexString(a.Name.Span)))))
        .ToListAsync();

    private sealed class MinuteAhead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromMinutes(1);
    }
}
