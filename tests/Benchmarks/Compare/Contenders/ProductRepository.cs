using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>This product's configuration and repository for one scenario.</summary>
internal sealed class ProductRepository(string program, string work, string name, string components, bool asPostgres, string? connection = null)
{
    private readonly string _settings = Path.Combine(work, name + ".yaml");
    private readonly string _passphrase = Path.Combine(work, name + ".passphrase");

    public string Folder { get; } = Path.Combine(work, name);

    public string Arguments => $"--config {_settings}";

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
        Cluster.MakeDirectory(Folder);
        if (Directory.Exists(Folder + ".state")) Directory.Delete(Folder + ".state", recursive: true);
        Cluster.MakeDirectory(Folder + ".state");
        await WriteSecretAsync(_passphrase, "a passphrase for the comparison", cancellationToken);
        if (connection is not null) await WriteSecretAsync(Path.Combine(work, name + ".connection"), connection, cancellationToken);
        await File.WriteAllTextAsync(_settings,
            $$"""
            backup_config:
              global: { storage_backend: filesystem, encryption: true, compression: zstd, parallel_jobs: 2 }
              storage: { path: {{Folder}} }
              keys: { passphrase: "file:{{_passphrase}}" }
              components:
                {{components}}

            """, cancellationToken);
        await Run("init", "--yes").RunAsync(cancellationToken);
    }

    private static async Task WriteSecretAsync(string path, string secret, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(path, secret + "\n", cancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Cluster.GiveToPostgres(path);
    }

    public Command Run(params IReadOnlyList<string> arguments) =>
        new("/usr/bin/env", [$"FBACKUP_STATE={Folder}.state", program, "--config", _settings, .. arguments]) { AsPostgres = asPostgres };
}
