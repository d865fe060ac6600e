using System.Diagnostics;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Tests.Crash.Host;

namespace FunctionsBackup.Tests.Crash.Harness;

/// <summary>A repository in a folder with the trees that were backed up into it, and what must hold after every crash.</summary>
internal sealed class CrashSite : IDisposable
{
    private readonly Dictionary<string, SourceTree> _committed = [];

    public CrashSite()
    {
        Folder = QuickFolder.Create();
        Tree = new SourceTree(Path.Combine(Folder, "tree"));
        FileSystemObjectStore.Initialize(Store);
    }

    private CrashSite(CrashSite from)
    {
        Folder = QuickFolder.Create();
        Tree = from.Tree;
        foreach (var (id, tree) in from._committed) _committed.Add(id, tree);
        // Objects are never written to again, so that hard links make a true copy.
        using var copy = Process.Start("cp", ["-al", from.Store, Store]);
        copy.WaitForExit();
        copy.ExitCode.ShouldBe(0);
    }

    public string Folder { get; }

    public string Store => Path.Combine(Folder, "store");

    /// <summary>The tree that the next backup takes.</summary>
    public SourceTree Tree { get; set; }

    public IReadOnlyCollection<string> Committed => _committed.Keys;

    public CrashSite Copy() => new(this);

    public FileSystemObjectStore OpenStore() => new(Store);

    /// <summary>Does something to its end, in this process, and notes the recovery points that are there then.</summary>
    public async Task DoAsync(string deed, string argument = "")
    {
        await Deeds.DoAsync(deed, deed == "backup" ? Tree.Root : argument, OpenStore());
        await NoteAsync(deed == "backup" ? Tree.Freeze() : null);
    }

    /// <summary>Lets time pass for the store, by whose clock the grace of garbage collection is measured.</summary>
    public void Age(TimeSpan time)
    {
        foreach (var file in Directory.EnumerateFiles(Store, "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(file) - time);
    }

    /// <summary>
    /// What must hold at any time: the recovery points are those that were committed (and at most one more, or one less, by the deed that
    /// was interrupted), each comes back byte for byte, and a full verification finds nothing.
    /// </summary>
    public async Task CheckAsync(bool mayCommit = false, bool mayForget = false)
    {
        await using (var repository = await Repositories.OpenAsync(OpenStore()))
        {
            var ids = await Observed.IdsAsync(repository);
            var fresh = ids.Except(_committed.Keys).ToList();
            fresh.Count.ShouldBeLessThanOrEqualTo(mayCommit ? 1 : 0, "recovery points that nobody committed");
            _committed.Keys.Except(ids).Count().ShouldBeLessThanOrEqualTo(mayForget ? 1 : 0, "recovery points were lost");
            foreach (var gone in _committed.Keys.Except(ids).ToList()) _committed.Remove(gone);
            foreach (var id in fresh) _committed.Add(id, Tree.Freeze());
            foreach (var (id, tree) in _committed) await Observed.ShouldHoldAsync(repository, id, tree);
            await Observed.ShouldBeSoundAsync(repository);
        }
    }

    /// <summary>The next backup succeeds, whatever the crash has left behind, and holds the tree as it is now.</summary>
    public async Task GoOnAsync()
    {
        Tree.Change();
        await DoAsync("backup");
        await CheckAsync();
    }

    public void Dispose()
    {
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }

    private async Task NoteAsync(SourceTree? taken)
    {
        await using var repository = await Repositories.OpenAsync(OpenStore());
        var ids = await Observed.IdsAsync(repository);
        foreach (var gone in _committed.Keys.Except(ids).ToList()) _committed.Remove(gone);
        foreach (var id in ids.Except(_committed.Keys).ToList()) _committed.Add(id, taken.ShouldNotBeNull());
    }
}
