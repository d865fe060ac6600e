using System.Text;
using FunctionsBackup.Components.Files.Backup;

namespace FunctionsBackup.Tests.Components.Files;

public sealed class FilesBackupTests : FilesTestBase
{
    [Fact]
    public async Task Unchanged_files_are_not_read_again()
    {
        for (var i = 0; i < 50; i++) Tree.Write($"source/d{i % 5}/f{i}", TempTree.RandomBytes(1000 + i, i));
        var first = await BackUpAsync();
        first.Kind.ShouldBe("full");
        first.Warnings.ShouldBeEmpty();

        var second = await BackUpAsync();
        second.Statistics.ReadBytes.ShouldBe(0);
        second.Kind.ShouldBe("incremental");
        second.Parent.ShouldBe(first.Id);
        FilesBackupDetails.FromJson(second.Details)!.Unchanged.ShouldBe(50);

        Tree.Write("source/d3/f3", "changed");
        var third = await BackUpAsync();
        third.Statistics.ReadBytes.ShouldBe(7);
        await RestoreAsync(third);
        ShouldBeRestored();

        (await BackUpAsync(o => o with { Full = true })).Statistics.ReadBytes.ShouldBe(third.Statistics.LogicalBytes);
    }

    [Fact]
    public async Task A_file_as_young_as_the_backup_before_is_read_again()
    {
        Tree.Write("source/file", "one");
        await BackUpAsync(ahead: TimeSpan.Zero);

        // Same size, same inode; and on a coarse clock it might have the same time.
        (await BackUpAsync(ahead: TimeSpan.Zero)).Statistics.ReadBytes.ShouldBe(3);
    }

    [Fact]
    public async Task Content_that_changed_behind_the_same_size_and_mtime_is_noticed_by_ctime()
    {
        var path = Tree.Write("source/file", "one");
        var time = File.GetLastWriteTimeUtc(path);
        await BackUpAsync();
        File.WriteAllText(path, "two");
        File.SetLastWriteTimeUtc(path, time);
        var second = await BackUpAsync();
        await RestoreAsync(second);
        File.ReadAllText(Tree["target/file"]).ShouldBe("two");
    }

    [Fact]
    public async Task A_file_that_changes_while_read_is_reported_and_read_again_next_time()
    {
        Tree.Write("source/a", "quiet");
        Tree.Write("source/log", "line\n");
        var first = await BackUpAsync(afterRead: path =>
        {
            if (path.Span.EndsWith("log"u8)) File.AppendAllText(Tree["source/log"], "more\n");
        });
        first.Warnings.ShouldHaveSingleItem().ShouldContain("source/log");
        var second = await BackUpAsync();
        second.Warnings.ShouldBeEmpty();
        second.Statistics.ReadBytes.ShouldBe(10);
        await RestoreAsync(second);
        ShouldBeRestored();
    }

    [Fact]
    public async Task Files_that_vanish_or_become_something_else_are_reported_and_the_rest_goes_on()
    {
        foreach (var name in new[] { "a", "gone", "swapped", "z" }) Tree.Write("source/" + name, name);
        var snapshot = await BackUpAsync(beforeOpen: path =>
        {
            var name = Encoding.UTF8.GetString(path.Span);
            if (name.EndsWith("gone", StringComparison.Ordinal)) File.Delete(Tree["source/gone"]);
            if (!name.EndsWith("swapped", StringComparison.Ordinal)) return;
            File.Delete(Tree["source/swapped"]);
            File.CreateSymbolicLink(Tree["source/swapped"], "/etc/passwd");
        });
        snapshot.Warnings.Count.ShouldBe(2);
        snapshot.Warnings.ShouldContain(warning => warning.Contains("source/gone"));
        snapshot.Warnings.ShouldContain(warning => warning.Contains("source/swapped"));
        await RestoreAsync(snapshot);
        NamesBelow("target").ShouldBe(["a", "z"]);
    }

    [Fact]
    public async Task A_hard_linked_file_whose_first_name_vanishes_is_kept_under_the_second()
    {
        Tree.Write("source/a", "linked");
        Tree.Shell("ln source/a source/b; ln source/a source/c");
        var snapshot = await BackUpAsync(beforeOpen: path =>
        {
            if (path.Span.EndsWith("/a"u8)) File.Delete(Tree["source/a"]);
        });
        await RestoreAsync(snapshot);
        NamesBelow("target").ShouldBe(["b", "c"]);
        File.ReadAllText(Tree["target/b"]).ShouldBe("linked");
        Tree.Shell("stat -c %h target/c").Trim().ShouldBe("2");
    }

    [Fact]
    public async Task Globs_choose_and_the_details_say_so()
    {
        foreach (var name in new[] { "a.wav", "b.tmp", "cache/c.wav", "d/e.wav" }) Tree.Write("source/" + name, name);
        var snapshot = await BackUpAsync(o => o with { Exclude = ["*.tmp", "/cache"], Include = ["*.wav"] });
        var details = FilesBackupDetails.FromJson(snapshot.Details)!;
        details.Paths["source"].ShouldBe(Tree["source"]);
        details.Excluded.ShouldBe(2);
        details.Users.Keys.ShouldContain(FunctionsBackup.Components.Posix.Accounts.CurrentUser.ToString());
        await RestoreAsync(snapshot);
        NamesBelow("target").ShouldBe(["a.wav", "d", "d/e.wav"]);
    }

    [Fact]
    public async Task Several_paths_are_several_roots_and_a_path_may_be_a_file()
    {
        Tree.Write("one/logs/a", "1");
        Tree.Write("two/logs/b", "2");
        Tree.Write("single.txt", "3");
        var snapshot = await BackUpAsync(o => o with { Paths = [Tree["one/logs"], Tree["two/logs"], Tree["single.txt"]] });
        await RestoreAsync(snapshot, o => o with
        {
            Roots = [new("logs", Tree["target/1"]), new("logs-2", Tree["target/2"]), new("single.txt", Tree["target/3.txt"])],
        });
        NamesBelow("target").ShouldBe(["1", "1/a", "2", "2/b", "3.txt"]);
        File.ReadAllText(Tree["target/3.txt"]).ShouldBe("3");
    }

    [Fact]
    public async Task A_file_that_shrinks_and_grows_between_walk_and_read_is_kept_as_it_is_when_read()
    {
        Tree.Write("source/file", TempTree.RandomBytes(3_000_000, 1));
        var snapshot = await BackUpAsync(beforeOpen: _ => File.WriteAllText(Tree["source/file"], "short now"));
        snapshot.Warnings.ShouldBeEmpty();
        await RestoreAsync(snapshot);
        ShouldBeRestored();
    }

    [Fact]
    public async Task Many_small_files_pass_through_bounded_queues_in_order()
    {
        for (var d = 0; d < 40; d++)
        {
            Tree.MakeDirectory($"source/{d:x}");
            for (var i = 0; i < 250; i++) File.WriteAllText(Tree[$"source/{d:x}/{i}"], $"{d} {i}");
        }

        Tree.Write("source/0/large", TempTree.RandomBytes(20_000_000, 7));
        var snapshot = await BackUpAsync();
        snapshot.Statistics.Files.ShouldBe(10_001);
        (await BackUpAsync()).Statistics.ReadBytes.ShouldBe(0);
        (await RestoreAsync(snapshot)).Files.ShouldBe(10_001);
        ShouldBeRestored();
    }
}
