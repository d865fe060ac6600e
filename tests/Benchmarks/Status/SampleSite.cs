using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage.FileSystem;

namespace FunctionsBackup.Benchmarks.Status;

/// <summary>A folder with recordings that cannot be compressed, a configuration, and a new repository.</summary>
internal sealed class SampleSite : IDisposable
{
    private const int FileBytes = 8 << 20;

    private SampleSite() => Path = Directory.CreateTempSubdirectory("fbackup-status-").FullName;

    public string Path { get; }

    public string ConfigurationFile => System.IO.Path.Combine(Path, "backup_config.yaml");

    public static async Task<SampleSite> CreateAsync(int megabytes)
    {
        var site = new SampleSite();
        await File.WriteAllTextAsync(site.ConfigurationFile, """
            backup_config:
              global: { encryption: false }
              storage: { path: ./repository }
              components:
                voice_data: { paths: [./recordings] }
                logs: { paths: [./logs] }
              policies:
                voice_data:
                  schedule: { full_backup: "0 0 1 1 *", incremental: "0 1 1 1 *" }
                logs:
                  schedule: { snapshot: "* * * * *" }
            """);
        var random = new Random(1);
        var buffer = new byte[FileBytes];
        Directory.CreateDirectory(System.IO.Path.Combine(site.Path, "recordings"));
        Directory.CreateDirectory(System.IO.Path.Combine(site.Path, "logs"));
        for (var i = 0; i < megabytes / 8; i++)
        {
            random.NextBytes(buffer);
            await File.WriteAllBytesAsync(System.IO.Path.Combine(site.Path, "recordings", $"{i:D5}.opus"), buffer);
        }

        var root = System.IO.Path.Combine(site.Path, "repository");
        FileSystemObjectStore.Initialize(root);
        await using var store = new FileSystemObjectStore(root, TimeProvider.System);
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(new InitRequest { Encrypt = false }, CancellationToken.None);
        return site;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
