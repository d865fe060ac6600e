using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Components.Files;

/// <summary>A tree in a folder of the test's own and a repository in memory.</summary>
public abstract class FilesTestBase : IAsyncLifetime
{
    protected TempTree Tree { get; } = new();

    protected InMemoryObjectStore Store { get; } = new();

    protected FaultyObjectStore Faults { get; private set; } = null!;

    protected BackupRepository Repository { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Faults = new FaultyObjectStore(Store);
        Repository = await TestRepository.CreateAsync(Faults);
    }

    public async Task DisposeAsync()
    {
        await Repository.DisposeAsync();
        Tree.Dispose();
    }

    /// <summary>
    /// Backs up <c>source</c>. By default the backup's clock runs a minute ahead, so that files made just now do not look as if they could
    /// still change within the same tick.
    /// </summary>
    protected async Task<Snapshot> BackUpAsync(
        Func<FilesBackupOptions, FilesBackupOptions>? change = null, Action<ReadOnlyMemory<byte>>? beforeOpen = null,
        Action<ReadOnlyMemory<byte>>? afterRead = null, TimeSpan? ahead = null)
    {
        var options = new FilesBackupOptions("voice_data", [Tree["source"]]);
        var backup = new FilesBackup(Repository, new AheadClock(ahead ?? TimeSpan.FromMinutes(1)))
        {
            Hooks = new FilesBackupHooks { BeforeOpen = beforeOpen, AfterRead = afterRead },
        };
        return await backup.RunAsync(change?.Invoke(options) ?? options, null, CancellationToken.None);
    }

    protected async Task<TreeRestoreReport> RestoreAsync(
        Snapshot snapshot, Func<TreeRestoreOptions, TreeRestoreOptions>? change = null, string target = "target", string prefix = "source",
        CancellationToken cancellationToken = default)
    {
        var options = new TreeRestoreOptions([new RestoreRoot(prefix, Tree[target])]);
        return await new TreeRestorer(Repository).RestoreAsync(snapshot, change?.Invoke(options) ?? options, null, cancellationToken);
    }

    protected void ShouldBeRestored(string target = "target")
    {
        var (actual, expected) = (TreeManifest.Of(Tree[target]), TreeManifest.Of(Tree["source"]));
        actual.Except(expected).Take(5).ShouldBeEmpty("in the target only");
        expected.Except(actual).Take(5).ShouldBeEmpty("in the source only");
        actual.Count.ShouldBe(expected.Count);
    }

    /// <summary>All names in a folder of the tree, to show that nothing was left behind.</summary>
    protected string[] NamesBelow(string relative) =>
        [.. Directory.EnumerateFileSystemEntries(Tree[relative], "*", SearchOption.AllDirectories).Select(p => Path.GetRelativePath(Tree[relative], p)).Order(StringComparer.Ordinal)];

    private sealed class AheadClock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
    }
}
