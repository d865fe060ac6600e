using System.Text;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage.FileSystem;

namespace FunctionsBackup.Tests.Orchestrations;

/// <summary>A configuration, trees and a repository in a folder of a test's own.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    private readonly Dictionary<string, string> _environment = [];

    private TestSite(string folder) => Folder = folder;

    public string Folder { get; }

    public string ConfigurationFile => Path.Join(Folder, "backup_config.yaml");

    public string RepositoryFolder => Path.Join(Folder, "repository");

    public IReadOnlyDictionary<string, string> Environment => _environment;

    /// <param name="connection">Of a database; null: there is none.</param>
    /// <param name="passphrase">Null: not encrypted, which opens faster.</param>
    public static Task<TestSite> CreateAsync(string? connection = null, string? passphrase = null)
    {
        var site = new TestSite(Directory.CreateTempSubdirectory("fbackup-site-").FullName);
        foreach (var tree in (string[])["recordings", "logs"])
            for (var i = 0; i < 60; i++) site.Write($"{tree}/{i % 5}/{i:000}", Bytes(20_000 + i * 100, i + tree.Length));
        if (connection is not null) site._environment["PGCONNECTION"] = connection;
        if (passphrase is not null) site._environment["FBACKUP_PASSPHRASE"] = passphrase;
        return site.InitializeAsync($"""
            {(connection is null ? "" : "    postgres: { connection: env:PGCONNECTION, mode: replication }")}
                voice_data: {'{'} paths: [./recordings] {'}'}
                logs: {'{'} paths: [./logs] {'}'}
            """, passphrase);
    }

    /// <summary>A site with components of the test's own.</summary>
    /// <param name="start">Told the folder: makes the sources there.</param>
    /// <param name="components">Lines below <c>components:</c>, by four spaces; asked for after the start.</param>
    /// <param name="environment">Secrets.</param>
    public static async Task<TestSite> CreateAsync(Func<string, Task> start, Func<string> components, IReadOnlyDictionary<string, string> environment)
    {
        var site = new TestSite(Directory.CreateTempSubdirectory("fbackup-site-").FullName);
        await start(site.Folder);
        foreach (var (name, value) in environment) site._environment.Add(name, value);
        return await site.InitializeAsync(components(), null);
    }

    private async Task<TestSite> InitializeAsync(string components, string? passphrase)
    {
        await File.WriteAllTextAsync(ConfigurationFile, $"""
            backup_config:
              global: {'{'} storage_backend: filesystem, encryption: {(passphrase is null ? "false" : "true")}, parallel_jobs: 2 {'}'}
              storage: {'{'} path: ./repository {'}'}
              {(passphrase is null ? "" : "keys: { passphrase: env:FBACKUP_PASSPHRASE }")}
              components:

            """ + components + "\n");
        FileSystemObjectStore.Initialize(RepositoryFolder);
        await using var store = new FileSystemObjectStore(RepositoryFolder, TimeProvider.System);
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(
            new InitRequest
            {
                Encrypt = passphrase is not null,
                Passphrases = passphrase is null ? [] : [new InitPassphrase(Encoding.UTF8.GetBytes(passphrase), "test")],
                AcknowledgeRecoveryKey = passphrase is null ? null : (_, _) => ValueTask.FromResult(true),
            },
            CancellationToken.None);
        return this;
    }

    public string StateFolder => Path.Join(Folder, "state");

    public BackupSite Open(TimeProvider? time = null, Action<string>? warn = null, bool deferAudit = false) => new(
        new SiteOptions(ConfigurationFile, Environment) { StateFolder = StateFolder, DeferAudit = deferAudit, Warn = warn ?? (_ => { }) },
        time ?? TimeProvider.System)
    {
        UnitSizes = new FilesPlannerOptions { UnitBytes = 200_000, UnitEntries = 10 },
    };

    public async Task<BackupRepository> OpenRepositoryAsync()
    {
        var store = new FileSystemObjectStore(RepositoryFolder, TimeProvider.System);
        var credential = _environment.TryGetValue("FBACKUP_PASSPHRASE", out var passphrase)
            ? KeyCredential.Passphrase(Encoding.UTF8.GetBytes(passphrase))
            : KeyCredential.Clear;
        var unlocked = await KeyRingFactory.UnlockAsync(store, credential, CancellationToken.None);
        return await BackupRepository.OpenAsync(store, unlocked, new RepositoryOptions(), CancellationToken.None);
    }

    public string Write(string relative, byte[] content)
    {
        var path = Path.Join(Folder, relative);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Every file of a folder and its bytes, to compare with a restored one.</summary>
    public static SortedDictionary<string, string> Content(string folder)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            content[Path.GetRelativePath(folder, file)] = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)));
        return content;
    }

    public static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
