using FunctionsBackup.Storage;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Tests.Storage.FileSystem;

/// <summary>What lies in the folder: foreign files, crash leftovers, permissions, open files, several processes.</summary>
public sealed class FileSystemDetailTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private FileSystemObjectStore _store = null!;

    private static CancellationToken None => CancellationToken.None;

    private string Root => _folder.Below("store of Zoë");

    public Task InitializeAsync()
    {
        FileSystemObjectStore.Initialize(Root);
        _store = new FileSystemObjectStore(Root);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_object_is_a_file_of_its_name()
    {
        _store.Description.ShouldBe($"folder {Root}");
        await _store.CreateAsync("packs/ab/cd", new byte[] { 1, 2, 3 }, None);
        File.ReadAllBytes(Path.Join(Root, "packs/ab/cd")).ShouldBe([1, 2, 3]);
        Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Select(p => Path.GetRelativePath(Root, p))
            .ShouldBe(["packs", "packs/ab", "packs/ab/cd", StoreLayout.IncompleteFolder], ignoreOrder: true);
    }

    [Fact]
    public async Task Objects_are_read_only_and_not_for_others()
    {
        await _store.CreateAsync("packs/a", new byte[1], None);
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        const UnixFileMode Writes = UnixFileMode.UserWrite | UnixFileMode.GroupWrite;
        (File.GetUnixFileMode(Path.Join(Root, "packs/a")) & (Others | Writes)).ShouldBe(UnixFileMode.None);
        foreach (var folder in new[] { "", "packs", StoreLayout.IncompleteFolder })
            (File.GetUnixFileMode(Path.Join(Root, folder)) & Others).ShouldBe(UnixFileMode.None);
    }

    [Fact]
    public async Task Foreign_files_are_not_shown_and_not_touched()
    {
        await _store.CreateAsync("o/1", new byte[1], None);
        File.WriteAllText(Path.Join(Root, "notes by hand"), "x");
        File.WriteAllText(Path.Join(Root, "o/1~"), "x");
        Directory.CreateDirectory(Path.Join(Root, "lost+found"));
        File.WriteAllText(Path.Join(Root, "lost+found/1"), "x");
        Directory.CreateDirectory(Path.Join(Root, "empty"));
        File.CreateSymbolicLink(Path.Join(Root, "o/link"), "1");
        Directory.CreateSymbolicLink(Path.Join(Root, "loop"), ".");
        File.CreateSymbolicLink(Path.Join(Root, "dangling"), "nowhere");
        (await Names()).ShouldBe(["o/1"]);
        (await _store.FindAsync("o/link", None)).ShouldBeNull();
        (await _store.FindAsync("empty", None)).ShouldBeNull();
        await Should.ThrowAsync<ObjectNotFoundException>(async () => await _store.ReadAsync("o/link", 0, new byte[1], None));
        await Should.ThrowAsync<ObjectNotFoundException>(async () => await _store.ReadAsync("empty", 0, new byte[1], None));
        (await Should.ThrowAsync<StoreException>(async () => await _store.CreateAsync("o/link", new byte[1], None)))
            .Message.ShouldContain("in the way");
        (await _store.DeleteAsync("o/link", None)).ShouldBeFalse();
        File.Exists(Path.Join(Root, "o/link")).ShouldBeTrue();
    }

    [Fact]
    public async Task What_a_crash_left_is_invisible_and_removed_only_when_asked_and_old()
    {
        await _store.CreateAsync("o/1", new byte[1], None);
        var leftover = Path.Join(Root, StoreLayout.IncompleteFolder, "0123");
        File.WriteAllBytes(leftover, new byte[1000]);
        (await Names()).ShouldBe(["o/1"]);
        (await _store.CleanTemporaryAsync(TimeSpan.FromHours(1), None)).ShouldBe((0, 0));
        File.Exists(leftover).ShouldBeTrue();
        await using var later = new FileSystemObjectStore(Root, new TestClock(TimeSpan.FromHours(2)));
        (await later.CleanTemporaryAsync(TimeSpan.FromHours(3), None)).ShouldBe((0, 0));
        (await later.CleanTemporaryAsync(TimeSpan.FromHours(1), None)).ShouldBe((1, 1000));
        File.Exists(leftover).ShouldBeFalse();
        (await Names()).ShouldBe(["o/1"]);
    }

    [Fact]
    public async Task An_object_deleted_by_another_process_is_not_read_from_an_open_file()
    {
        await using var other = new FileSystemObjectStore(Root);
        var buffer = new byte[1];
        await _store.CreateAsync("o/1", new byte[] { 1 }, None);
        (await _store.ReadAsync("o/1", 0, buffer, None)).ShouldBe(1);
        await other.DeleteAsync("o/1", None);
        await Should.ThrowAsync<ObjectNotFoundException>(async () => await _store.ReadAsync("o/1", 0, buffer, None));

        await other.CreateAsync("o/1", new byte[] { 2 }, None);
        (await _store.ReadAsync("o/1", 0, buffer, None)).ShouldBe(1);
        buffer[0].ShouldBe((byte)2);
        await other.DeleteAsync("o/1", None);
        await other.CreateAsync("o/1", new byte[] { 3 }, None);
        (await _store.ReadAsync("o/1", 0, buffer, None)).ShouldBe(1);
        buffer[0].ShouldBe((byte)3);
    }

    [Fact]
    public async Task Few_files_stay_open()
    {
        for (var i = 0; i < 100; i++) await _store.CreateAsync($"o/{i}", new byte[] { (byte)i }, None);
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), async (i, token) =>
        {
            var buffer = new byte[1];
            (await _store.ReadAsync($"o/{i % 100}", 0, buffer, token)).ShouldBe(1);
            buffer[0].ShouldBe((byte)(i % 100));
        });
        OpenFiles().Count.ShouldBeInRange(1, 64);
        for (var i = 0; i < 100; i++) await _store.DeleteAsync($"o/{i}", None);
        OpenFiles().ShouldBeEmpty();
        await _store.CreateAsync("p", new byte[1], None);
        await _store.ReadAsync("p", 0, new byte[1], None);
        await _store.DisposeAsync();
        OpenFiles().ShouldBeEmpty();
        await Should.ThrowAsync<ObjectDisposedException>(async () => await _store.FindAsync("p", None));
    }

    [Fact]
    public async Task Of_two_stores_on_one_folder_exactly_one_creates()
    {
        Directory.CreateSymbolicLink(_folder.Below("link"), Root);
        await using var other = new FileSystemObjectStore(_folder.Below("link"));
        for (var round = 0; round < 20; round++)
        {
            var name = $"r/{round}";
            var created = await Task.WhenAll(
                _store.CreateAsync(name, new byte[] { 0 }, None).AsTask(), other.CreateAsync(name, new byte[] { 1 }, None).AsTask());
            created.Count(c => c).ShouldBe(1);
            File.ReadAllBytes(Path.Join(Root, name)).ShouldBe([(byte)(created[0] ? 0 : 1)]);
        }

        Directory.EnumerateFileSystemEntries(Path.Join(Root, StoreLayout.IncompleteFolder)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_folder_removed_by_another_process_is_made_again()
    {
        await _store.CreateAsync("a/b/1", new byte[1], None);
        Directory.Delete(Path.Join(Root, "a"), recursive: true);
        (await _store.CreateAsync("a/b/2", new byte[1], None)).ShouldBeTrue();
        (await Names()).ShouldBe(["a/b/2"]);
    }

    [Fact]
    public void Where_rename_cannot_be_exclusive_a_hard_link_is()
    {
        string from = _folder.Below("from"), to = _folder.Below("to");
        File.WriteAllText(from, "new");
        ExclusiveRename.MoveByLink(from, to).ShouldBe(Errno.None);
        File.Exists(from).ShouldBeFalse();
        File.ReadAllText(to).ShouldBe("new");

        File.WriteAllText(from, "second");
        ExclusiveRename.MoveByLink(from, to).ShouldBe(Errno.EEXIST);
        File.ReadAllText(to).ShouldBe("new");

        // The link was made, but the server's answer got lost.
        PosixFile.Link(from, _folder.Below("other")).ShouldBe(Errno.None);
        ExclusiveRename.MoveByLink(from, _folder.Below("other")).ShouldBe(Errno.None);
        File.Exists(from).ShouldBeFalse();
        File.ReadAllText(_folder.Below("other")).ShouldBe("second");
    }

    [Fact]
    public void Initialize_makes_all_folders_and_may_be_repeated()
    {
        var root = _folder.Below("x", "y", "z");
        FileSystemObjectStore.Initialize(root);
        FileSystemObjectStore.Initialize(root + "/");
        Directory.Exists(Path.Join(root, StoreLayout.IncompleteFolder)).ShouldBeTrue();
    }

    private List<string> OpenFiles() =>
    [
        .. Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(p => new FileInfo(p).LinkTarget)
            .OfType<string>().Where(t => t.StartsWith(Root, StringComparison.Ordinal)),
    ];

    private async Task<List<string>> Names()
    {
        var names = new List<string>();
        await foreach (var info in _store.ListAsync("", None)) names.Add(info.Name);
        return names;
    }
}
