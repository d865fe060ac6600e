using FunctionsBackup.Components.Files;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Crash.Harness;
using FunctionsBackup.Tests.Crash.Host;

namespace FunctionsBackup.Tests.Crash.Corruption;

/// <summary>A repository in memory that has every kind of object, and what must come back from it.</summary>
public sealed class Sample : IAsyncLifetime
{
    private readonly Dictionary<string, SourceTree> _recoveryPoints = [];

    /// <summary>The repository, whole. Tests damage copies.</summary>
    public InMemoryObjectStore Store { get; } = new();

    internal IReadOnlyDictionary<string, SourceTree> RecoveryPoints => _recoveryPoints;

    /// <summary>Objects that only <see cref="SealedObjects"/> knows.</summary>
    public IReadOnlyList<(SealedKind Kind, string Name)> Sealed { get; } =
    [
        (SealedKind.WalSegment, "wal/7000000000000000001/00000001/000000010000000000000001"),
        (SealedKind.WalSegment, "wal/7000000000000000001/00000001/000000010000000000000002"),
        (SealedKind.WalPart, "wal/7000000000000000001/00000001/000000010000000000000003.parts/00000000-00010000"),
        (SealedKind.WalPart, "wal/7000000000000000001/00000001/000000010000000000000004.partial"),
        (SealedKind.TimelineHistory, "wal/7000000000000000001/00000002.history"),
        (SealedKind.TimelineHistory, "wal/7000000000000000001/00000001/000000010000000000000002.00000028.backup"),
    ];

    public async Task InitializeAsync()
    {
        var folder = QuickFolder.Create();
        try
        {
            await Repositories.CreateAsync(Store);
            var tree = new SourceTree(Path.Combine(folder, "recordings"));
            for (var i = 0; i < 8; i++) tree.Add($"calls/{i}.wav", 70_000 + (i * 1000));
            tree.Add("large", 2_500_000); // several chunks, more than one block
            for (var i = 0; i < 40; i++) tree.Add($"transcripts/{i}.json", 500 + i);
            await BackupAsync(tree);
            tree.Change();
            await BackupAsync(tree);
            await using var repository = await Repositories.OpenAsync(Store);
            await repository.Snapshots.PinAsync(RecoveryPoints.Keys.Order(StringComparer.Ordinal).First(), "kept for the test", CancellationToken.None);
            foreach (var (kind, name) in Sealed)
                await repository.Sealed.CreateAsync(kind, name, "facts of the segment"u8.ToArray(), new byte[100_000], CancellationToken.None);
            await Observed.ShouldBeSoundAsync(repository); // and leaves its results
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private async Task BackupAsync(SourceTree tree)
    {
        await using var repository = await Repositories.OpenAsync(Store);
        var snapshot = await new FilesBackup(repository, TimeProvider.System)
            .RunAsync(new FilesBackupOptions("voice_data", [tree.Root]), null, CancellationToken.None);
        _recoveryPoints.Add(snapshot.Id, tree.Freeze());
    }
}
