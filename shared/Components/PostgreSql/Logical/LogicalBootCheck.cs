using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>What a real server says of a restored logical backup.</summary>
/// <param name="Passed">Whether all is as it should be.</param>
/// <param name="Bytes">Of the rows.</param>
/// <param name="Findings">One line each.</param>
public sealed record LogicalBootReport(bool Passed, long Bytes, IReadOnlyList<string> Findings);

/// <summary>Restores a logical backup into a server that is made for it, counts the rows of every table, and removes the server again.</summary>
public sealed class LogicalBootCheck(BackupRepository repository, TimeProvider time)
{
    /// <summary>Where server programs are, looked at first.</summary>
    public IReadOnlyList<string> BinaryDirectories { get; init; } = [];

    public int Parallelism { get; init; } = 2;

    /// <exception cref="Files.RestoreRefusedException">There are no server programs here.</exception>
    public async ValueTask<LogicalBootReport> RunAsync(Snapshot snapshot, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var reader = await LogicalSnapshotReader.OpenAsync(repository, snapshot, cancellationToken).ConfigureAwait(false);
        var major = reader.Details.ServerVersion / 10000;
        var binaries = PostgresBinaries.Find(major, BinaryDirectories) ?? throw new Files.RestoreRefusedException(
            $"No server programs of PostgreSQL {major} were found; install package postgresql-{major}, or name their directory in {PostgresBinaries.Variable}.");
        // PostgreSQL refuses to run as root: then as the user of its packages.
        var user = ServerUser.Named("postgres");
        var parent = Environment.GetEnvironmentVariable("FBACKUP_SCRATCH") ?? Path.TrimEndingDirectorySeparator(Path.GetTempPath());
        var scratch = await ScratchDirectory.CreateAsync(user, parent, "fbackup-verify", cancellationToken).ConfigureAwait(false);
        await using (scratch.ConfigureAwait(false))
        {
            var data = Path.Combine(scratch.Path, "data");
            var made = await ProgramRun.RunAsync(
                user.Command(Path.Combine(binaries, "initdb"), "-D", data, "-U", "fbackup_verify", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"), cancellationToken)
                .ConfigureAwait(false);
            if (made.ExitCode != 0) throw new PostgresBackupException($"A server to restore into could not be made: {ClientTools.FirstError(made.Text)}.");
            // Nobody else reaches it: a socket in a folder of its own user, no port.
            var server = await SupervisedProcess.StartAsync(
                user, Path.Combine(binaries, "postgres"),
                ["-D", data, "-k", scratch.Path, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off", "-c", "max_wal_size=4GB"],
                Path.Combine(scratch.Path, "log"), cancellationToken).ConfigureAwait(false);
            await using (server.ConfigureAwait(false))
            {
                var connection = $"Host={scratch.Path};Username=fbackup_verify;Database=postgres";
                await WaitAsync(connection, server, cancellationToken).ConfigureAwait(false);
                // Databases that initdb has made already are empty.
                var options = new LogicalRestoreOptions(connection) { Parallelism = Parallelism, ProgramDirectories = [binaries, .. BinaryDirectories] };
                var report = await new LogicalRestore(repository, time).RunAsync(snapshot, options, progress, cancellationToken).ConfigureAwait(false);
                var findings = new List<string> { $"{report.Tables} tables with {report.Rows} rows restored into a server of PostgreSQL {major}" };
                findings.AddRange(report.Warnings);
                var wrong = await CountAsync(reader, connection, cancellationToken).ConfigureAwait(false);
                findings.AddRange(wrong.Take(20));
                if (wrong.Count == 0) findings.Add("every table has as many rows as the backup");
                return new LogicalBootReport(wrong.Count == 0, report.Bytes, findings);
            }
        }
    }

    private static async ValueTask<List<string>> CountAsync(LogicalSnapshotReader reader, string connectionString, CancellationToken cancellationToken)
    {
        var wrong = new List<string>();
        var builder = LogicalBackup.Connection(connectionString);
        foreach (var database in reader.Databases)
        {
            var connection = await LogicalBackup.OpenAsync(builder, database.Name, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                foreach (var table in database.Tables.Where(t => t.Filter.Length == 0))
                {
                    var rows = -1L;
                    await LogicalBackup.QueryAsync(connection, $"select count(*) from only {table.Quoted}", r => rows = r.GetInt64(0), cancellationToken).ConfigureAwait(false);
                    if (rows != table.Rows) wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{database.Name}: {table.Quoted} has {rows} rows instead of {table.Rows}"));
                }
        }

        return wrong;
    }

    private async ValueTask WaitAsync(string connectionString, SupervisedProcess server, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (server.HasExited) throw new PostgresBackupException("The server to restore into did not start.");
            try
            {
                var connection = new NpgsqlConnection(LogicalBackup.Connection(connectionString).ConnectionString);
                await using (connection.ConfigureAwait(false)) await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken).ConfigureAwait(false); // not yet
            }
        }
    }
}
