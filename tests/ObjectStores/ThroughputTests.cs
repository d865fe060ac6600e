using System.Globalization;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Storage.Remote;
using FunctionsBackup.Storage.S3;
using Xunit.Abstractions;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>Measures, for people: the same data into a folder and into both services on this machine, and back. Asserts no time.</summary>
[Trait("Category", "Long")]
public sealed class ThroughputTests(ITestOutputHelper output)
{
    private const int Files = 400, Size = 1 << 20;

    [Fact]
    public async Task Backup_and_restore_beside_a_folder()
    {
        using var world = new World();
        world.AddFiles("calls", Files, Size, seed: 9);
        var folder = Directory.CreateTempSubdirectory("fbackup-throughput-").FullName;
        try
        {
            FileSystemObjectStore.Initialize(folder);
            var bucket = (await Stores.NewBucketAsync()) with { Limits = new RemoteLimits() };
            var container = (await Stores.NewContainerAsync()) with { Limits = new RemoteLimits() };
            var stores = new (string Name, Func<IObjectStore> Open)[]
            {
                ("folder", () => new FileSystemObjectStore(folder)), ("RADOS Gateway", () => new S3ObjectStore(bucket)),
                ("Azurite", () => new AzureBlobObjectStore(container)),
            };
            foreach (var (name, open) in stores)
            {
                await World.CreateAsync(open());
                var began = TimeProvider.System.GetTimestamp();
                var snapshot = await world.BackUpAsync(open());
                var backup = TimeProvider.System.GetElapsedTime(began);
                began = TimeProvider.System.GetTimestamp();
                var target = await world.RestoreAsync(open(), snapshot.Id);
                var restore = TimeProvider.System.GetElapsedTime(began);
                Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories).Count().ShouldBe(Files);
                Directory.Delete(target, recursive: true);
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: backup {backup.TotalSeconds:0.00} s ({Files * (Size / 1e6) / backup.TotalSeconds:0} MB/s), "
                    + $"restore {restore.TotalSeconds:0.00} s ({Files * (Size / 1e6) / restore.TotalSeconds:0} MB/s)"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
