using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Restore;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Components.Files;

public sealed class TreeRestorerTests : FilesTestBase
{
    private static bool IsPack(string name) => name.StartsWith("packs/", StringComparison.Ordinal);

    private async Task<Snapshot> BackUpSampleAsync()
    {
        Tree.Write("source/a.txt", "a");
        Tree.Write("source/sub/b.txt", "b");
        Tree.Write("source/sub/big", TempTree.RandomBytes(9_000_000, 1));
        return await BackUpAsync();
    }

    [Fact]
    public async Task A_target_that_holds_something_is_refused_untouched()
    {
        var snapshot = await BackUpSampleAsync();
        Tree.Write("target/mine", "precious");
        (await Should.ThrowAsync<RestoreRefusedException>(RestoreAsync(snapshot))).Message.ShouldContain(Tree["target"]);
        (await Should.ThrowAsync<RestoreRefusedException>(RestoreAsync(snapshot, o => o with { Staging = true }))).Message.ShouldContain("overwritten");
        NamesBelow("target").ShouldBe(["mine"]);

        Tree.Write("file", "a file");
        await Should.ThrowAsync<RestoreRefusedException>(RestoreAsync(snapshot, target: "file"));
        await Should.ThrowAsync<RestoreRefusedException>(RestoreAsync(snapshot, target: "file/below"));
        await Should.ThrowAsync<RestoreRefusedException>(RestoreAsync(snapshot, o => o with { Overwrite = true }, target: "file"));
        File.ReadAllText(Tree["file"]).ShouldBe("a file");
    }

    [Fact]
    public async Task Nothing_under_a_prefix_or_no_match_is_refused()
    {
        var snapshot = await BackUpSampleAsync();
        (await Should.ThrowAsync<RestoreRefusedException>(RestoreAsync(snapshot, prefix: "sourc"))).Message.ShouldContain("'sourc'");
        await Should.ThrowAsync<RestoreRefusedException>(RestoreAsync(snapshot, o => o with { Include = ["*.mp3"] }));
        Directory.Exists(Tree["target"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Overwriting_replaces_files_and_keeps_others()
    {
        var snapshot = await BackUpSampleAsync();
        Tree.Write("target/a.txt", "other");
        Tree.Write("target/mine", "kept");
        Tree.Write("target/sub", "a file in the place of a directory");
        (await RestoreAsync(snapshot, o => o with { Overwrite = true })).Warnings.ShouldBeEmpty();
        File.ReadAllText(Tree["target/a.txt"]).ShouldBe("a");
        File.ReadAllText(Tree["target/mine"]).ShouldBe("kept");
        File.ReadAllBytes(Tree["target/sub/big"]).ShouldBe(File.ReadAllBytes(Tree["source/sub/big"]));
        NamesBelow("target").ShouldBe(["a.txt", "mine", "sub", "sub/b.txt", "sub/big"]);
    }

    [Fact]
    public async Task A_directory_in_the_place_of_a_file_is_reported_and_the_rest_is_restored()
    {
        var snapshot = await BackUpSampleAsync();
        Tree.Write("target/a.txt/inside", "x");
        (await RestoreAsync(snapshot, o => o with { Overwrite = true })).Warnings.ShouldHaveSingleItem().ShouldContain("source/a.txt");
        NamesBelow("target").ShouldBe(["a.txt", "a.txt/inside", "sub", "sub/b.txt", "sub/big"]);
    }

    [Fact]
    public async Task Delta_writes_only_what_differs()
    {
        var snapshot = await BackUpSampleAsync();
        await RestoreAsync(snapshot);
        using (var big = File.OpenWrite(Tree["target/sub/big"]))
        {
            big.Position = 4_000_000;
            big.Write("damage"u8);
            big.SetLength(8_999_000);
        }

        File.Delete(Tree["target/a.txt"]);
        Tree.Write("target/sub/extra/deep", "extra");
        var report = await RestoreAsync(snapshot, o => o with { Delta = true });
        report.WrittenBytes.ShouldBeInRange(1, 6_000_000);
        report.Files.ShouldBe(3);
        NamesBelow("target").ShouldContain("sub/extra/deep");

        await RestoreAsync(snapshot, o => o with { Delta = true, DeleteExtra = true });
        ShouldBeRestored();
    }

    [Fact]
    public async Task Delta_never_writes_into_a_file_that_has_other_names()
    {
        var snapshot = await BackUpSampleAsync();
        Tree.Write("outside", "outside");
        Tree.MakeDirectory("target/sub");
        Tree.Shell("ln outside target/a.txt; ln outside target/sub/big");
        await RestoreAsync(snapshot, o => o with { Delta = true });
        File.ReadAllText(Tree["outside"]).ShouldBe("outside");
        ShouldBeRestored();
    }

    [Fact]
    public async Task Links_in_the_target_are_not_followed()
    {
        var snapshot = await BackUpSampleAsync();
        foreach (var (name, change) in new (string, Func<TreeRestoreOptions, TreeRestoreOptions>)[]
        {
            ("overwrite", o => o with { Overwrite = true }), ("delta", o => o with { Delta = true, DeleteExtra = true }),
            ("staging", o => o with { Overwrite = true, Staging = true }),
        })
        {
            Tree.Write($"{name}-outside/b.txt", "outside");
            Tree.MakeDirectory(name);
            File.CreateSymbolicLink(Tree[$"{name}/a.txt"], Tree[$"{name}-outside/b.txt"]);
            File.CreateSymbolicLink(Tree[$"{name}/sub"], Tree[$"{name}-outside"]);
            await RestoreAsync(snapshot, change, name);
            File.ReadAllText(Tree[$"{name}-outside/b.txt"]).ShouldBe("outside");
            NamesBelow($"{name}-outside").ShouldBe(["b.txt"]);
            ShouldBeRestored(name);
        }
    }

    [Fact]
    public async Task Staging_leaves_the_target_alone_until_everything_is_there()
    {
        var snapshot = await BackUpSampleAsync();
        Tree.Write("target/old", "old");
        Faults.Add(new Fault(StoreOperation.Read, FaultKind.FailBefore) { Where = IsPack, Skip = 2, Times = int.MaxValue });
        await Should.ThrowAsync<Exception>(RestoreAsync(snapshot, o => o with { Staging = true, Overwrite = true }));
        NamesBelow("target").ShouldBe(["old"]);
        Directory.EnumerateFileSystemEntries(Tree.Path).Count().ShouldBe(2);

        Faults.Heal();
        await RestoreAsync(snapshot, o => o with { Staging = true, Overwrite = true });
        ShouldBeRestored();
        Directory.EnumerateFileSystemEntries(Tree.Path).Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_cancelled_restore_leaves_no_half_file()
    {
        for (var i = 0; i < 30; i++) Tree.Write($"source/f{i}", TempTree.RandomBytes(3_000_000, i));
        var snapshot = await BackUpAsync();
        using var stop = new CancellationTokenSource();
        var restorer = new TreeRestorer(Repository);
        var options = new TreeRestoreOptions([new RestoreRoot("source", Tree["target"])]);
        Faults.Add(new Fault(StoreOperation.Read, FaultKind.Wait) { Where = IsPack, Skip = 3, Times = int.MaxValue, Until = new TaskCompletionSource().Task });
        var restore = restorer.RestoreAsync(snapshot, options, null, stop.Token).AsTask();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(restore);
        foreach (var name in Directory.Exists(Tree["target"]) ? NamesBelow("target") : [])
            File.ReadAllBytes(Tree[$"target/{name}"]).ShouldBe(File.ReadAllBytes(Tree[$"source/{name}"]));
    }

    [Fact]
    public async Task Damage_costs_the_files_it_touches_and_no_more()
    {
        var snapshot = await BackUpSampleAsync();
        var other = Tree.Write("source/later", TempTree.RandomBytes(2_000_000, 99));
        var second = await BackUpAsync();
        var pack = Store.Names.Where(IsPack).MaxBy(name => Store.Get(name).Length)!;
        for (var at = 1000; at < Store.Get(pack).Length - 200_000; at += 50_000) Store.Flip(pack, at);

        var report = await RestoreAsync(second);
        report.Damaged.ShouldContain("source/sub/big");
        File.Exists(Tree["target/sub/big"]).ShouldBeFalse();
        File.ReadAllBytes(Tree["target/later"]).ShouldBe(File.ReadAllBytes(other));
        NamesBelow("target").ShouldNotContain(name => name.Contains("fbackup"));

        // In place, what was there gets another name, so that it cannot pass for what was asked for.
        Tree.Write("delta/sub/big", TempTree.RandomBytes(9_000_000, 2));
        report = await RestoreAsync(second, o => o with { Delta = true }, "delta");
        report.Damaged.ShouldContain("source/sub/big");
        NamesBelow("delta").ShouldContain("sub/big.damaged");
        NamesBelow("delta").ShouldNotContain("sub/big");

        // A tree that is not whole does not replace one that may be.
        Tree.Write("live/sub/big", "live");
        report = await RestoreAsync(second, o => o with { Staging = true, Overwrite = true }, "live");
        report.Warnings.ShouldContain(warning => warning.Contains("left as it was"));
        File.ReadAllText(Tree["live/sub/big"]).ShouldBe("live");
        snapshot.Id.ShouldNotBe(second.Id);
    }

    [Fact]
    public async Task Globs_restore_the_files_and_only_the_directories_on_the_way()
    {
        foreach (var name in new[] { "x/1.wav", "x/2.txt", "y/z/3.wav", "empty/4.txt", "whole/5.txt" }) Tree.Write("source/" + name, name);
        Tree.Shell("touch -d 2001-01-01 source/y/z");
        var snapshot = await BackUpAsync();
        var report = await RestoreAsync(snapshot, o => o with { Include = ["*.wav", "whole/"] });
        report.Files.ShouldBe(3);
        NamesBelow("target").ShouldBe(["whole", "whole/5.txt", "x", "x/1.wav", "y", "y/z", "y/z/3.wav"]);
        Directory.GetLastWriteTime(Tree["target/y/z"]).Year.ShouldBe(2001);
    }

    [Fact]
    public async Task A_further_name_is_restored_as_a_file_when_the_first_is_not_wanted()
    {
        Tree.Write("source/a", "linked");
        Tree.Shell("ln source/a source/b");
        var snapshot = await BackUpAsync();
        await RestoreAsync(snapshot, o => o with { Include = ["b"] });
        File.ReadAllText(Tree["target/b"]).ShouldBe("linked");
        NamesBelow("target").ShouldBe(["b"]);
    }

    [Fact]
    public async Task Part_of_a_tree_goes_where_it_is_sent()
    {
        var snapshot = await BackUpSampleAsync();
        await RestoreAsync(snapshot, prefix: "source/sub", target: "deep/er/target");
        NamesBelow("deep/er/target").ShouldBe(["b.txt", "big"]);
        await RestoreAsync(snapshot, prefix: "", target: "all");
        NamesBelow("all").ShouldBe(["source", "source/a.txt", "source/sub", "source/sub/b.txt", "source/sub/big"]);
    }

    [Fact]
    public async Task A_plan_tells_the_cost_and_changes_nothing()
    {
        var snapshot = await BackUpSampleAsync();
        var plan = await new TreeRestorer(Repository).PlanAsync(
            snapshot, new TreeRestoreOptions([new RestoreRoot("source", Tree["target"])]), CancellationToken.None);
        plan.Files.ShouldBe(3);
        plan.Bytes.ShouldBe(9_000_002);
        plan.StoredBytes.ShouldBeInRange(9_000_000, 9_200_000);
        plan.Requests.ShouldBeInRange(1, 10);
        Directory.Exists(Tree["target"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Holes_need_no_room()
    {
        Tree.Shell("mkdir source; truncate -s 15T source/sparse");
        var snapshot = await BackUpAsync();
        snapshot.Statistics.LogicalBytes.ShouldBe(15L << 40);
        await RestoreAsync(snapshot);
        new FileInfo(Tree["target/sparse"]).Length.ShouldBe(15L << 40);
    }

    [Fact]
    public void More_than_fits_is_refused_with_the_figures()
    {
        SpaceCheck.Refuse(["/a", "/b"], [5 << 20, 5 << 20], [(1, 6 << 20), (2, 6 << 20)]);
        Should.Throw<RestoreRefusedException>(() => SpaceCheck.Refuse(["/a", "/b"], [5 << 20, 5 << 20], [(1, 6 << 20), (1, 6 << 20)]))
            .Message.ShouldBe("/a has 6 MiB free but 10 MiB are needed; make room or choose another target.");
    }

    [Fact]
    public async Task What_the_owner_may_not_have_is_not_given()
    {
        if (!Accounts.IsRoot) return;
        Tree.Write("source/tool", "x");
        Tree.Shell("chown 1234:1234 source/tool; chmod 6755 source/tool");
        var snapshot = await BackUpAsync();
        await RestoreAsync(snapshot, o => o with { Ownership = false });
        Tree.Shell("stat -c '%a %u' target/tool").Trim().ShouldBe("755 0");
    }
}
