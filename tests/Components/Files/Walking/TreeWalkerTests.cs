using System.Text;
using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Tests.Components.Files.Walking;

public sealed class TreeWalkerTests : IDisposable
{
    private readonly TempTree _tree = new();
    private readonly WarningList _warnings = new();

    public void Dispose() => _tree.Dispose();

    private List<WalkedEntry> Walk(string[]? include = null, string[]? exclude = null, params string[] paths)
    {
        var walker = new TreeWalker(new WalkOptions(GlobSet.Parse(include ?? []), GlobSet.Parse(exclude ?? [])), _warnings);
        var roots = WalkRoot.Find(paths.Length == 0 ? [_tree["root"]] : paths, _warnings);
        var entries = roots.SelectMany(walker.Walk).ToList();
        foreach (var root in roots) root.Dispose();
        return entries;
    }

    private static string[] Names(IEnumerable<WalkedEntry> entries) => [.. entries.Select(entry => Encoding.UTF8.GetString(entry.Path))];

    [Fact]
    public void The_order_is_that_of_a_catalog()
    {
        foreach (var name in new[] { "a/x", "a-b", "a.c/y", "a/b/c", "a0", "B/z", "ab", "é/1" }) _tree.Write("root/" + name, "");
        var entries = Walk();
        for (var i = 1; i < entries.Count; i++)
            CatalogOrder.Compare(entries[i - 1].Path, entries[i].Path).ShouldBeLessThan(0);
        Names(entries).ShouldBe([
            "root", "root/B", "root/B/z", "root/a", "root/a/b", "root/a/b/c", "root/a/x", "root/a-b", "root/a.c", "root/a.c/y", "root/a0",
            "root/ab", "root/é", "root/é/1",
        ]);
    }

    [Fact]
    public void Links_are_not_followed_below_the_path_that_was_given()
    {
        _tree.Write("elsewhere/secret", "x");
        _tree.Write("root/file", "x");
        Directory.CreateSymbolicLink(_tree["root/link"], _tree["elsewhere"]);
        Directory.CreateSymbolicLink(_tree["given"], _tree["root"]);
        var entries = Walk(paths: [_tree["given"]]);
        Names(entries).ShouldBe(["given", "given/file", "given/link"]);
        entries[2].Kind.ShouldBe(EntryKind.SymbolicLink);
    }

    [Fact]
    public void Excluded_directories_are_not_entered_and_included_directories_are_taken_whole()
    {
        foreach (var name in new[] { "keep/a.wav", "keep/b.tmp", "cache/c.wav", "whole/d.txt", "other/e.txt" }) _tree.Write("root/" + name, "");
        Names(Walk(["*.wav", "whole/"], ["cache/", "*.tmp"])).ShouldBe([
            "root", "root/keep", "root/keep/a.wav", "root/other", "root/whole", "root/whole/d.txt",
        ]);
    }

    [Fact]
    public void Equal_names_are_told_apart_and_a_missing_path_is_a_warning()
    {
        _tree.Write("one/logs/a", "");
        _tree.Write("two/logs/b", "");
        Names(Walk(paths: [_tree["two/logs"], _tree["one/logs"], _tree["none"]])).ShouldBe(["logs", "logs/b", "logs-2", "logs-2/a"]);
        _warnings.ToList().ShouldHaveSingleItem().ShouldContain(_tree["none"]);
    }

    [Fact]
    public void Nothing_but_missing_paths_is_an_error_that_names_them() =>
        Should.Throw<FileNotFoundException>(() => Walk(paths: [_tree["none"], _tree["nothing"]])).Message
            .ShouldSatisfyAllConditions(
                message => message.ShouldContain(_tree["none"]),
                message => message.ShouldContain(_tree["nothing"]));

    [Fact]
    public void A_tree_deeper_than_any_path_can_name_is_walked()
    {
        _tree.Shell("mkdir root; cd root; for i in $(seq 30); do n=$(printf 'd%.0s' $(seq 250)); mkdir $n; cd -P $n; done; echo deep > file");
        var entries = Walk();
        entries.Count.ShouldBe(32);
        entries[^1].Path.Length.ShouldBeGreaterThan(7500);
        entries[^1].Directory.Open(out var directory).ShouldBe(PosixError.None);
        using var open = directory!;
        DirectoryCalls.Status(open, entries[^1].Name, out var status).ShouldBe(PosixError.None);
        status.Size.ShouldBe(5);
    }

    [Fact]
    public void A_directory_that_is_swapped_for_a_link_is_not_entered()
    {
        _tree.Write("elsewhere/secret", "x");
        _tree.Write("root/dir/file", "x");
        var walker = new TreeWalker(new WalkOptions(GlobSet.Parse([]), GlobSet.Parse([])), _warnings);
        using var root = WalkRoot.Find([_tree["root"]], _warnings)[0];
        var seen = new List<WalkedEntry>();
        foreach (var entry in walker.Walk(root))
        {
            seen.Add(entry);
            if (seen.Count != 2) continue;
            Directory.Delete(_tree["root/dir"], true);
            Directory.CreateSymbolicLink(_tree["root/dir"], _tree["elsewhere"]);
        }

        Names(seen).ShouldBe(["root", "root/dir"]);
        _warnings.ToList().ShouldHaveSingleItem().ShouldContain("root/dir");
    }

    [Fact]
    public void Sockets_are_counted_and_left_out()
    {
        _tree.MakeDirectory("root");
        using var socket = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(_tree["root/socket"]));
        var walker = new TreeWalker(new WalkOptions(GlobSet.Parse([]), GlobSet.Parse([])), _warnings);
        using var root = WalkRoot.Find([_tree["root"]], _warnings)[0];
        walker.Walk(root).Count().ShouldBe(1);
        walker.Sockets.ShouldBe(1);
    }

    [Fact]
    public void Warnings_are_capped_and_counted()
    {
        var warnings = new WarningList(2);
        for (var i = 0; i < 5; i++) warnings.Add($"w{i}");
        warnings.ToList().ShouldBe(["w0", "w1", "3 more warnings are not listed."]);
    }
}
