using System.Data;
using System.Globalization;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Protocol;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using Npgsql;
using ProgressMeter = FunctionsBackup.Components.Files.ProgressMeter;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>What to dump.</summary>
/// <param name="ConnectionString">To any database of the server.</param>
public sealed record LogicalBackupOptions(string ConnectionString)
{
    /// <summary>Name in the configuration.</summary>
    public string Component { get; init; } = "postgres";

    /// <summary>Why it is not physical, for the record.</summary>
    public string Reason { get; init; } = "components.postgres.mode is logical";

    /// <summary>Names; empty: all that the user may connect to.</summary>
    public IReadOnlyList<string> Databases { get; init; } = [];

    /// <summary>Store all rows anew, whatever earlier snapshots hold.</summary>
    public bool Full { get; init; }

    public int Parallelism { get; init; } = 2;

    /// <summary>Where client programs are, looked at first.</summary>
    public IReadOnlyList<string> ProgramDirectories { get; init; } = [];

    /// <summary>The unit of a run that this is; null: a recovery point by itself.</summary>
    public RunUnit? Unit { get; init; }
}

/// <summary>
/// Backs a PostgreSQL 13–17 server up through SQL, where it gives no access to its files: schema by pg_dump, rows by COPY, all of one database as of one
/// snapshot; what is as it was in the snapshot before is not stored again.
/// </summary>
public sealed class LogicalBackup(BackupRepository repository, TimeProvider time)
{
    /// <summary>Takes one recovery point, or one unit of a run.</summary>
    /// <exception cref="PostgresBackupException">The server or this machine does not allow it; nothing is committed.</exception>
    public async ValueTask<Snapshot> RunAsync(LogicalBackupOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(options, new WarningList(), progress, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException e) when (!options.Full)
        {
            // What is wrong with an earlier backup must not keep the next one from being taken.
            var warnings = new WarningList();
            warnings.Add($"The backup before this one could not be built on, so that all rows were stored anew: {e.Message}");
            return await RunAsync(options with { Full = true }, warnings, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<Snapshot> RunAsync(
        LogicalBackupOptions options, WarningList warnings, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var startedAt = options.Unit?.Run.Token.StartedAt ?? time.GetUtcNow();
        warnings.Add($"This is a logical backup, since {options.Reason}: it restores to the moment at which it was taken and no other; its interval is what may be lost.");
        try
        {
            var connection = Connection(options.ConnectionString);
            var parent = options.Full || repository.IsWriteOnly ? null
                : await repository.FindParentAsync(options.Component, s => LogicalBackupDetails.FromJson(s.Details) is not null, cancellationToken).ConfigureAwait(false);
            var before = await LogicalSnapshotReader.TryOpenAsync(repository, parent, cancellationToken).ConfigureAwait(false);
            await using var session = repository.BeginSession(new SessionOptions(options.Component, options.Parallelism) { Unit = options.Unit });
            var (version, databases) = await FindDatabasesAsync(connection, options, warnings, cancellationToken).ConfigureAwait(false);
            var files = new DumpFiles(session);
            var tools = ClientTools.Find(version / 10000, connection, options.ProgramDirectories);
            var hasPasswords = await DumpGlobalsAsync(tools, connection.Database!, files, warnings, cancellationToken).ConfigureAwait(false);
            var meter = new ProgressMeter(progress, time);
            var summaries = new List<LogicalDatabaseSummary>();
            var dumped = new List<LogicalDatabase>();
            foreach (var database in databases)
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"databases/{summaries.Count:0000}");
                var dump = new DatabaseDump(repository, session, files, tools, connection, version, options.Parallelism, meter, before?.Find(database.Name), before);
                await dump.RunAsync(database, path, startedAt, cancellationToken).ConfigureAwait(false);
                dumped.Add(database);
                summaries.Add(new LogicalDatabaseSummary(
                    database.Name, path, database.Tables.Count, database.Tables.Sum(t => t.Rows), database.Tables.Sum(t => t.Bytes), database.Lsn));
            }

            await files.WriteCatalogAsync(cancellationToken).ConfigureAwait(false);
            meter.Report();
            var details = new LogicalBackupDetails
            {
                Reason = options.Reason, ServerVersion = version, HasPasswords = hasPasswords, Databases = summaries,
                Time = dumped.Min(d => d.Time), Until = dumped.Max(d => d.Time),
            };
            var usesParent = files.UsesParent;
            var draft = new SnapshotDraft(
                usesParent ? "incremental" : "full", usesParent ? parent!.Id : null, startedAt, warnings.ToList(), details.ToJson());
            return await session.CommitAsync(draft, cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw Refused(e);
        }
    }

    internal static PostgresBackupException Refused(NpgsqlException e) => new($"PostgreSQL refused: {((e as PostgresException)?.MessageText ?? e.Message).TrimEnd('.')}.", e);

    /// <summary>For sessions that dump or restore.</summary>
    internal static NpgsqlConnectionStringBuilder Connection(string text)
    {
        var builder = PostgresConnectionString.Parse(text);
        builder.Pooling = false;
        builder.CommandTimeout = 0;
        builder.KeepAlive = 60;
        builder.Enlist = false;
        builder.IncludeErrorDetail = false;
        builder.ApplicationName ??= "fbackup";
        builder.Database ??= builder.Username ?? "postgres";
        return builder;
    }

    internal static async ValueTask<NpgsqlConnection> OpenAsync(NpgsqlConnectionStringBuilder builder, string database, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(builder.ConnectionString) { Database = database }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, LogicalQueries.Session, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    internal static async ValueTask ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false)) await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    internal static async ValueTask QueryAsync(NpgsqlConnection connection, string sql, Action<NpgsqlDataReader> read, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) read(reader);
        }
    }

    private static async ValueTask<(int Version, List<LogicalDatabase> Databases)> FindDatabasesAsync(
        NpgsqlConnectionStringBuilder builder, LogicalBackupOptions options, WarningList warnings, CancellationToken cancellationToken)
    {
        var connection = await OpenAsync(builder, builder.Database!, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var version = 0;
            await QueryAsync(connection, "select pg_catalog.current_setting('server_version_num')::int", r => version = r.GetInt32(0), cancellationToken).ConfigureAwait(false);
            if (version < 130000) throw new PostgresBackupException($"PostgreSQL {version / 10000} is too old; versions from 13 on can be backed up.");
            var found = new List<LogicalDatabase>();
            await QueryAsync(connection, LogicalQueries.Databases(version), r => found.Add(new LogicalDatabase
            {
                Name = r.GetString(0), Owner = r.GetString(1), Encoding = r.GetString(2), Collate = r.IsDBNull(3) ? "" : r.GetString(3),
                CharacterType = r.IsDBNull(4) ? "" : r.GetString(4), Provider = r.GetString(5), Locale = r.IsDBNull(6) ? null : r.GetString(6),
            }), cancellationToken).ConfigureAwait(false);
            if (options.Databases.FirstOrDefault(n => found.All(d => d.Name != n)) is { } missing)
                throw new PostgresBackupException($"There is no database '{missing}' that the user may connect to; correct components.postgres.databases.");
            // Those of the services themselves, which their users cannot read.
            if (options.Databases.Count == 0)
                foreach (var service in found.Where(d => d.Name is "rdsadmin" or "azure_maintenance" or "azure_sys" or "cloudsqladmin").ToList())
                {
                    found.Remove(service);
                    warnings.Add($"The database {service.Name} is the service's own, and was left out.");
                }
            else found.RemoveAll(d => !options.Databases.Contains(d.Name));
            return found.Count > 0 ? (version, found) : throw new PostgresBackupException("The user may connect to no database; grant CONNECT.");
        }
    }

    /// <summary>Roles, their memberships and tablespaces; with passwords where they may be read.</summary>
    private static async ValueTask<bool> DumpGlobalsAsync(
        ClientTools tools, string database, DumpFiles files, WarningList warnings, CancellationToken cancellationToken)
    {
        foreach (var withPasswords in new[] { true, false })
        {
            string[] arguments = withPasswords ? ["--globals-only"] : ["--globals-only", "--no-role-passwords"];
            var text = new MemoryStream();
            var (code, errors) = await tools.RunAsync(
                "pg_dumpall", database, async output => await output.CopyToAsync(text, cancellationToken).ConfigureAwait(false), cancellationToken, arguments).ConfigureAwait(false);
            if (code == 0)
            {
                if (!withPasswords) warnings.Add("The server does not show the passwords of roles, so that they are not kept; set them anew after a restore.");
                await files.StoreAsync("globals.sql", text.ToArray(), cancellationToken).ConfigureAwait(false);
                return withPasswords;
            }

            if (!withPasswords) throw new PostgresBackupException($"pg_dumpall could not read the roles: {ClientTools.FirstError(errors)}.");
        }

        return false;
    }
}
