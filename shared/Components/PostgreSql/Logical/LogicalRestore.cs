using System.Globalization;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using Npgsql;
using ProgressMeter = FunctionsBackup.Components.Files.ProgressMeter;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>
/// Restores a logical backup into a server: roles, then each database: definitions before the rows, rows by several sessions, sequences and large objects,
/// then indexes, constraints and what else comes behind the rows, in the order that pg_restore knows.
/// </summary>
public sealed class LogicalRestore(BackupRepository repository, TimeProvider time)
{
    private readonly List<string> _warnings = [];

    /// <exception cref="RestoreRefusedException">The target is in use, or does not have what was asked for.</exception>
    /// <exception cref="PostgresBackupException">The server refused; what was made stays, and the same restore with Clean goes over it.</exception>
    public async ValueTask<LogicalRestoreReport> RunAsync(
        Snapshot snapshot, LogicalRestoreOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var reader = await LogicalSnapshotReader.OpenAsync(repository, snapshot, cancellationToken).ConfigureAwait(false);
        var plan = LogicalRestorePlan.Of(reader, options);
        var connection = LogicalBackup.Connection(options.ConnectionString);
        var scratch = Directory.CreateTempSubdirectory("fbackup-logical-").FullName; // for its owner alone
        try
        {
            var version = await FindVersionAsync(connection, cancellationToken).ConfigureAwait(false);
            var tools = ClientTools.Find(Math.Max(version, reader.Details.ServerVersion) / 10000, connection, options.ProgramDirectories);
            if (version / 10000 < reader.Details.ServerVersion / 10000)
                _warnings.Add($"The server is PostgreSQL {version / 10000}, and the backup is of {reader.Details.ServerVersion / 10000}: what is new there cannot be restored.");
            foreach (var (database, name) in plan.Databases)
                await CheckAsync(connection, name, options, cancellationToken).ConfigureAwait(false);
            if (options.Globals && plan.IsWhole) await RestoreGlobalsAsync(tools, reader, connection.Database!, scratch, cancellationToken).ConfigureAwait(false);
            var meter = new ProgressMeter(progress, time, 0, plan.Databases.Sum(d => d.Database.Tables.Where(plan.Includes).Sum(t => t.Bytes)));
            var (tables, rows, bytes) = (0L, 0L, 0L);
            foreach (var (database, name) in plan.Databases)
            {
                await CreateAsync(connection, database, name, cancellationToken).ConfigureAwait(false);
                var restore = new DatabaseRestore(reader, tools, connection, plan, name, Math.Clamp(options.Parallelism, 1, 16), options.Clean, meter, _warnings.Add);
                await restore.RunAsync(database, scratch, cancellationToken).ConfigureAwait(false);
                tables += database.Tables.Count(plan.Includes);
                rows += database.Tables.Where(plan.Includes).Sum(t => t.Rows);
                bytes += database.Tables.Where(plan.Includes).Sum(t => t.Bytes);
            }

            return new LogicalRestoreReport { Databases = plan.Databases.Count, Tables = tables, Rows = rows, Bytes = bytes, Warnings = _warnings };
        }
        catch (NpgsqlException e)
        {
            throw LogicalBackup.Refused(e);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>Whether the target would take it; null: it would.</summary>
    public static async ValueTask<string?> RefusalAsync(LogicalSnapshotReader reader, LogicalRestoreOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var connection = LogicalBackup.Connection(options.ConnectionString);
            foreach (var (_, name) in LogicalRestorePlan.Of(reader, options).Databases) await CheckAsync(connection, name, options, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (RestoreRefusedException e)
        {
            return e.Message;
        }
        catch (NpgsqlException e)
        {
            return LogicalBackup.Refused(e).Message;
        }
    }

    private static async ValueTask<int> FindVersionAsync(NpgsqlConnectionStringBuilder builder, CancellationToken cancellationToken)
    {
        var version = 0;
        var connection = await LogicalBackup.OpenAsync(builder, builder.Database!, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            await LogicalBackup.QueryAsync(connection, "select pg_catalog.current_setting('server_version_num')::int", r => version = r.GetInt32(0), cancellationToken)
                .ConfigureAwait(false);
        return version;
    }

    private static async ValueTask<bool> ExistsAsync(NpgsqlConnectionStringBuilder builder, string name, CancellationToken cancellationToken)
    {
        var connection = await LogicalBackup.OpenAsync(builder, builder.Database!, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var command = new NpgsqlCommand("select exists (select from pg_catalog.pg_database where datname = $1)", connection) { Parameters = { new() { Value = name } } };
            await using (command.ConfigureAwait(false)) return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        }
    }

    /// <summary>A database that is there must be empty, unless it is to be cleaned.</summary>
    private static async ValueTask CheckAsync(NpgsqlConnectionStringBuilder builder, string name, LogicalRestoreOptions options, CancellationToken cancellationToken)
    {
        if (options.Clean || !await ExistsAsync(builder, name, cancellationToken).ConfigureAwait(false)) return;
        var connection = await LogicalBackup.OpenAsync(builder, name, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var found = new List<string>();
            await LogicalBackup.QueryAsync(connection, """
                select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
                  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
                order by 1 limit 3
                """, r => found.Add(r.GetString(0)), cancellationToken).ConfigureAwait(false);
            if (found.Count > 0 && options.Schemas.Count == 0 && options.Tables.Count == 0)
                throw new RestoreRefusedException(
                    $"The database {name} holds objects already ({string.Join(", ", found)}); restore with --clean to drop those that the recovery point has, or into another database (--database {name}=NEW).");
        }
    }

    private static async ValueTask CreateAsync(NpgsqlConnectionStringBuilder builder, LogicalDatabase database, string name, CancellationToken cancellationToken)
    {
        if (await ExistsAsync(builder, name, cancellationToken).ConfigureAwait(false)) return;
        var connection = await LogicalBackup.OpenAsync(builder, builder.Database!, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var provider = database.Provider switch
            {
                "i" => $" locale_provider icu icu_locale {Literal(database.Locale ?? "und")}",
                "b" => $" locale_provider builtin builtin_locale {Literal(database.Locale ?? "C")}",
                _ => "",
            };
            var hasOwner = false;
            await LogicalBackup.QueryAsync(
                connection, $"select exists (select from pg_catalog.pg_roles where rolname = {Literal(database.Owner)})", r => hasOwner = r.GetBoolean(0), cancellationToken)
                .ConfigureAwait(false);
            await LogicalBackup.ExecuteAsync(
                connection,
                $"create database {LogicalTable.Quote(name)} template template0 encoding {Literal(database.Encoding)}"
                + (database.Collate.Length > 0 ? $" lc_collate {Literal(database.Collate)} lc_ctype {Literal(database.CharacterType)}" : "") + provider
                + (hasOwner ? $" owner {LogicalTable.Quote(database.Owner)}" : ""),
                cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Roles that are there stay as they are.</summary>
    private async ValueTask RestoreGlobalsAsync(
        ClientTools tools, LogicalSnapshotReader reader, string database, string scratch, CancellationToken cancellationToken)
    {
        var file = Path.Combine(scratch, "globals.sql");
        await CopyAsync(reader, "globals.sql", file, cancellationToken).ConfigureAwait(false);
        var (code, errors) = await tools.RunAsync(
            "psql", database, output => new(output.CopyToAsync(Stream.Null, cancellationToken)), cancellationToken, "--no-psqlrc", "--quiet", "-f", file).ConfigureAwait(false);
        if (code != 0) throw new PostgresBackupException($"The roles could not be restored: {ClientTools.FirstError(errors)}.");
        foreach (var line in errors.Split('\n').Where(l => l.Contains("ERROR:", StringComparison.Ordinal) && !l.Contains("already exists", StringComparison.Ordinal)).Take(5))
            _warnings.Add($"Of the roles, something was not restored: {line[(line.IndexOf("ERROR:", StringComparison.Ordinal) + 6)..].Trim().TrimEnd('.')}.");
        if (!reader.Details.HasPasswords) _warnings.Add("The backup has no passwords of roles; set them anew.");
        File.Delete(file);
    }

    internal static async ValueTask CopyAsync(LogicalSnapshotReader reader, string path, string file, CancellationToken cancellationToken)
    {
        var to = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await using (to.ConfigureAwait(false))
        {
            var from = reader.Open(path);
            await using (from.ConfigureAwait(false)) await from.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
        }
    }

    internal static string Literal(string text) => string.Create(CultureInfo.InvariantCulture, $"'{text.Replace("'", "''", StringComparison.Ordinal)}'");
}
