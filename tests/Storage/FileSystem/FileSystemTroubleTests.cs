using FunctionsBackup.Storage;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Tests.Storage.FileSystem;

/// <summary>Disks that are full, read-only, missing or taken away: a clear error each, and nothing half-visible.</summary>
public sealed class FileSystemTroubleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken None => CancellationToken.None;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_missing_folder_is_never_made_by_using_it()
    {
        await using var store = new FileSystemObjectStore(_folder.Below("absent"));
        await ShouldBeUnavailable(store);
        Directory.Exists(store.Root).ShouldBeFalse();
    }

    [Fact]
    public async Task An_empty_folder_is_not_filled()
    {
        // As when the disk is not mounted: the mount point is there.
        await using var store = new FileSystemObjectStore(_folder.Path);
        var error = await Should.ThrowAsync<StoreUnavailableException>(async () => await store.CreateAsync("a/b", new byte[5], None));
        error.Message.ShouldContain("fbackup init");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_in_place_of_the_folder_is_not_a_store()
    {
        File.WriteAllText(_folder.Below("file"), "mine");
        await using var store = new FileSystemObjectStore(_folder.Below("file"));
        await ShouldBeUnavailable(store);
        Should.Throw<StoreException>(() => FileSystemObjectStore.Initialize(_folder.Below("file"))).Message.ShouldContain("in the way");
        File.ReadAllText(_folder.Below("file")).ShouldBe("mine");
    }

    [Fact]
    public async Task A_folder_removed_half_way_stays_removed()
    {
        var root = _folder.Below("store");
        FileSystemObjectStore.Initialize(root);
        await using var store = new FileSystemObjectStore(root);
        await store.CreateAsync("packs/a", new byte[2 << 20], None);
        (await store.ReadAsync("packs/a", 0, new byte[10], None)).ShouldBe(10);
        Directory.Delete(root, recursive: true);
        await ShouldBeUnavailable(store);
        Directory.Exists(root).ShouldBeFalse();
    }

    [Fact]
    public async Task A_disk_unmounted_half_way_does_not_look_like_an_empty_store()
    {
        using var disk = new MountedFolder("tmpfs", "size=4m");
        FileSystemObjectStore.Initialize(disk.Path);
        await using var store = new FileSystemObjectStore(disk.Path);
        await store.CreateAsync("packs/a", new byte[10], None);
        disk.Unmount();
        await ShouldBeUnavailable(store);
        Directory.EnumerateFileSystemEntries(disk.Path).ShouldBeEmpty();

        // Another store in its place, or the same one mounted again, is used.
        FileSystemObjectStore.Initialize(disk.Path);
        (await store.FindAsync("packs/a", None)).ShouldBeNull();
        (await store.CreateAsync("packs/a", new byte[10], None)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(3_000_000)] // past the page cache
    [InlineData(1_000_000)] // through it
    public async Task A_full_disk_takes_nothing_and_leaves_nothing(int size)
    {
        using var disk = new MountedFolder("tmpfs", "size=2m");
        FileSystemObjectStore.Initialize(disk.Path);
        await using var store = new FileSystemObjectStore(disk.Path);
        (await store.CreateAsync("packs/first", new byte[1_500_000], None)).ShouldBeTrue();
        var error = await Should.ThrowAsync<StoreFullException>(async () => await store.CreateAsync("packs/second", new byte[size], None));
        error.Message.ShouldContain("packs/second");
        error.Message.ShouldContain("MiB free");
        Directory.EnumerateFileSystemEntries(Path.Join(disk.Path, StoreLayout.IncompleteFolder)).ShouldBeEmpty();
        (await Names(store)).ShouldBe(["packs/first"]);
        (await store.GetFreeBytesAsync(None)).ShouldBeInRange(400_000, 700_000);
        (await store.CreateAsync("packs/second", new byte[1000], None)).ShouldBeTrue();
        (await store.ReadAsync("packs/first", 1_499_990, new byte[20], None)).ShouldBe(10);
        (await store.DeleteAsync("packs/first", None)).ShouldBeTrue();
        (await store.CreateAsync("packs/third", new byte[size / 2], None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_disk_without_room_for_another_file_takes_nothing()
    {
        using var disk = new MountedFolder("tmpfs", "size=4m,nr_inodes=6");
        FileSystemObjectStore.Initialize(disk.Path);
        await using var store = new FileSystemObjectStore(disk.Path);
        var created = new List<string>();
        var error = await Should.ThrowAsync<StoreFullException>(async () =>
        {
            for (var i = 0; i < 10; i++)
                if (await store.CreateAsync($"o/{i}", new byte[1], None)) created.Add($"o/{i}");
        });
        error.Message.ShouldContain("full");
        (await Names(store)).ShouldBe(created);
    }

    [Fact]
    public async Task A_read_only_disk_is_read_and_refuses_writes()
    {
        using var disk = new MountedFolder("tmpfs", "size=4m");
        FileSystemObjectStore.Initialize(disk.Path);
        await using var store = new FileSystemObjectStore(disk.Path);
        await store.CreateAsync("a", new byte[10], None);
        disk.MakeReadOnly();
        (await Should.ThrowAsync<StoreAccessException>(async () => await store.CreateAsync("b", new byte[10], None)))
            .Message.ShouldContain("read-only");
        await Should.ThrowAsync<StoreAccessException>(async () => await store.CreateAsync("b", new byte[2 << 20], None));
        await Should.ThrowAsync<StoreAccessException>(async () => await store.DeleteAsync("a", None));
        (await store.DeleteAsync("b", None)).ShouldBeFalse();
        (await store.CreateAsync("a", new byte[10], None)).ShouldBeFalse();
        (await store.ReadAsync("a", 0, new byte[20], None)).ShouldBe(10);
        (await Names(store)).ShouldBe(["a"]);
        Should.Throw<StoreAccessException>(() => FileSystemObjectStore.Initialize(Path.Join(disk.Path, "below")));
        FileSystemObjectStore.Initialize(disk.Path); // all is there already
    }

    [Fact]
    public async Task A_file_system_without_unbuffered_writes_is_written_through_the_cache()
    {
        using var disk = new MountedFolder("ramfs", "mode=0700");
        FileSystemObjectStore.Initialize(disk.Path);
        await using var store = new FileSystemObjectStore(disk.Path);
        var content = new byte[(2 << 20) + 5];
        new Random(1).NextBytes(content);
        (await store.CreateAsync("large", content, None)).ShouldBeTrue();
        store.Writer.UnbufferedRefused.ShouldBeTrue();
        (await store.CreateAsync("again", content, None)).ShouldBeTrue();
        foreach (var name in new[] { "large", "again" })
            File.ReadAllBytes(Path.Join(disk.Path, name)).AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    [Fact]
    public async Task An_object_in_the_place_of_a_folder_is_an_error_and_not_a_loss()
    {
        FileSystemObjectStore.Initialize(_folder.Path);
        await using var store = new FileSystemObjectStore(_folder.Path);
        await store.CreateAsync("a", new byte[] { 1 }, None);
        await store.CreateAsync("b/c", new byte[] { 2 }, None);
        (await store.FindAsync("a/x", None)).ShouldBeNull();
        (await store.DeleteAsync("a/x", None)).ShouldBeFalse();
        (await store.DeleteAsync("b", None)).ShouldBeFalse();
        (await Should.ThrowAsync<StoreException>(async () => await store.CreateAsync("a/x", new byte[1], None)))
            .Message.ShouldContain("in the way");
        (await Should.ThrowAsync<StoreException>(async () => await store.CreateAsync("b", new byte[1], None)))
            .Message.ShouldContain("in the way");
        (await Names(store)).ShouldBe(["a", "b/c"]);
    }

    [Theory]
    [InlineData(28, typeof(StoreFullException), false)] // ENOSPC
    [InlineData(122, typeof(StoreFullException), false)] // EDQUOT
    [InlineData(30, typeof(StoreAccessException), false)] // EROFS
    [InlineData(13, typeof(StoreAccessException), false)] // EACCES
    [InlineData(1, typeof(StoreAccessException), false)] // EPERM
    [InlineData(116, typeof(StoreUnavailableException), true)] // ESTALE
    [InlineData(107, typeof(StoreUnavailableException), true)] // ENOTCONN
    [InlineData(24, typeof(StoreException), true)] // EMFILE
    [InlineData(5, typeof(StoreException), false)] // EIO
    [InlineData(9999, typeof(StoreException), false)]
    public void Error_numbers_become_sentences_with_a_mend(int error, Type type, bool transient)
    {
        var exception = FileSystemErrors.Translate((Errno)error, "create object x", _folder.Path);
        exception.ShouldBeOfType(type);
        exception.IsTransient.ShouldBe(transient);
        exception.Message.ShouldMatch($"^Cannot create object x in folder {_folder.Path}: .+; .+\\.$");
        exception.InnerException.ShouldBeOfType<IOException>().Message.ShouldContain(error.ToString());
    }

    private static async Task ShouldBeUnavailable(FileSystemObjectStore store)
    {
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.CreateAsync("packs/b", new byte[10], None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.CreateAsync("packs/b", new byte[2 << 20], None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.FindAsync("packs/a", None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.ReadAsync("packs/a", 0, new byte[10], None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.DeleteAsync("packs/a", None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await Names(store));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await store.CleanTemporaryAsync(TimeSpan.Zero, None));
    }

    private static async Task<List<string>> Names(FileSystemObjectStore store)
    {
        var names = new List<string>();
        await foreach (var info in store.ListAsync("", None)) names.Add(info.Name);
        return names;
    }
}
