using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>This product on a PostgreSQL cluster beside it.</summary>
public sealed class ProductPostgres(string program, string work, Cluster cluster) : IDatabaseContender
{
    private const string RepositoryName = "fbackup-postgres";

    private readonly ProductRepository _product = new(
        program, work, RepositoryName,
        $"postgres: {{ connection: \"file:{Path.Combine(work, RepositoryName)}.connection\", data_directory: {cluster.Data}, mode: auto }}", asPostgres: true,
        cluster.ConnectionString);

    public string Name => "fbackup";

    public string Repository => _product.Folder;

    public string ArchiveCommand => $"{program} {_product.Arguments} wal push %p";

    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await new Command(program, "--version").RunAsync(cancellationToken)).Trim();

    public Task InitializeAsync(CancellationToken cancellationToken) => _product.InitializeAsync(cancellationToken);

    public Command Backup(bool full) => _product.Run(["backup", "run", "--verify", "none", "--type", "postgres", .. full ? (string[])["--full"] : []]);

    public Command Restore(string target) => _product.Run("restore", "postgres", "latest", "--target", target);

    public Command Verify() => _product.Run("backup", "verify", "all", "--level", "full");
}
