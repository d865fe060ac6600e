using System.Security.Cryptography;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>A tree of files that is backed up and restored, in a folder of its own.</summary>
internal sealed class World : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fbackup-stores-").FullName;

    public string Source => Path.Combine(_folder, "source");

    /// <summary>Files of random bytes: no compression and no duplicates make them fewer.</summary>
    public void AddFiles(string folder, int count, int size, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[size];
        for (var i = 0; i < count; i++)
        {
            var directory = Path.Combine(Source, folder, $"{i % 20}");
            Directory.CreateDirectory(directory);
            random.NextBytes(bytes);
            File.WriteAllBytes(Path.Combine(directory, $"{i}.opus"), bytes);
        }
    }

    public static async Task CreateAsync(IObjectStore store) => await (await TestRepository.CreateAsync(store)).DisposeAsync();

    /// <summary>Opens the repository anew, as another process would, and takes a recovery point. Disposes the store.</summary>
    public static async Task<Snapshot> BackUpAsync(IObjectStore store, string source, int parallelism, CancellationToken cancellationToken)
    {
        await using var repository = await TestRepository.OpenAsync(store);
        return await new FilesBackup(repository, TimeProvider.System).RunAsync(
            new FilesBackupOptions("voice_data", [source]) { Parallelism = parallelism }, null, cancellationToken);
    }

    public Task<Snapshot> BackUpAsync(IObjectStore store, int parallelism = 4, CancellationToken cancellationToken = default) =>
        BackUpAsync(store, Source, parallelism, cancellationToken);

    /// <summary>Restores into a new folder and returns it. Disposes the store.</summary>
    public async Task<string> RestoreAsync(IObjectStore store, string id, int parallelism = 4)
    {
        await using var repository = await TestRepository.OpenAsync(store);
        var snapshot = await repository.GetSnapshotAsync(id, null, CancellationToken.None);
        var target = Path.Combine(_folder, $"target-{Guid.NewGuid():N}");
        var report = await new TreeRestorer(repository).RestoreAsync(
            snapshot, new TreeRestoreOptions([new RestoreRoot("source", target)]) { Parallelism = parallelism }, null, CancellationToken.None);
        report.Damaged.ShouldBeEmpty();
        return target;
    }

    /// <summary>All files of a folder by relative path, with their bytes' hashes.</summary>
    public static Dictionary<string, string> Contents(string folder) => Directory
        .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetRelativePath(folder, f), f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))));

    /// <summary>Every object whose name is the hash of its bytes (packs) is whole.</summary>
    public static async Task<int> CheckPacksAsync(IObjectStore store)
    {
        var packs = 0;
        await foreach (var pack in store.ListAsync("packs/", CancellationToken.None))
        {
            var bytes = new byte[pack.Size];
            (await store.ReadAsync(pack.Name, 0, bytes, CancellationToken.None)).ShouldBe(bytes.Length);
            pack.Name.ShouldEndWith(Convert.ToHexStringLower(SHA256.HashData(bytes)));
            packs++;
        }

        return packs;
    }

    public static async Task<List<string>> SnapshotsAsync(IObjectStore store)
    {
        await using var repository = await TestRepository.OpenAsync(store);
        var ids = new List<string>();
        await foreach (var snapshot in repository.ListSnapshotsAsync(null, CancellationToken.None)) ids.Add(snapshot.Id);
        return ids;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
