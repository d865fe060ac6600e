using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>pgBackRest: two processes, AES, zstd 3, small files bundled and changed files stored by block, as its manual recommends.</summary>
public sealed class PgBackRest(string program, string work, Cluster cluster) : IDatabaseContender
{
    private readonly string _settings = Path.Combine(work, "pgbackrest.conf");

    public string Name => "pgBackRest";

    public string Repository { get; } = Path.Combine(work, "pgbackrest");

    public string ArchiveCommand => $"{program} --config={_settings} --stanza=main archive-push %p";

    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await new Command(program, "version").RunAsync(cancellationToken)).Trim().Split(' ')[^1];

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(Repository)) Directory.Delete(Repository, recursive: true);
        var state = Path.Combine(work, "pgbackrest-state");
        Cluster.MakeDirectory(Repository);
        Cluster.MakeDirectory(state);
        await File.WriteAllTextAsync(_settings,
            $"""
            [global]
            repo1-path={Repository}
            repo1-cipher-type=aes-256-cbc
            repo1-cipher-pass=a passphrase for the comparison
            repo1-bundle=y
            repo1-block=y
            repo1-retention-full=10
            compress-type=zst
            compress-level=3
            process-max=2
            start-fast=y
            log-path={state}
            lock-path={state}
            spool-path={state}
            log-level-console=warn
            log-level-file=off

            [main]
            pg1-path={cluster.Data}
            pg1-socket-path={cluster.Sockets}
            pg1-port={cluster.Port}
            pg1-user=postgres

            """, cancellationToken);
        await Run("stanza-create").RunAsync(cancellationToken);
    }

    public Command Backup(bool full) => Run("backup", full ? "--type=full" : "--type=incr");

    public Command Restore(string target) => Run("restore", $"--pg1-path={target}");

    public Command Verify() => Run("verify");

    private Command Run(params IReadOnlyList<string> arguments) =>
        new(program, [$"--config={_settings}", "--stanza=main", .. arguments]) { AsPostgres = true };
}
