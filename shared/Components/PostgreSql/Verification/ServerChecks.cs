using System.Globalization;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>What is asked of a booted copy in SQL.</summary>
internal sealed class ServerChecks(string socketDirectory, string superuser)
{
    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = socketDirectory,
        Port = 5432,
        Username = superuser,
        Database = database,
        Pooling = false,
        Timeout = 15,
        CommandTimeout = 0,
        Options = IsolatedConfiguration.SessionOptions,
    }.ConnectionString;

    /// <summary>Databases that let sessions in.</summary>
    public async ValueTask<IReadOnlyList<string>> ListDatabasesAsync(CancellationToken cancellationToken) =>
        await ColumnAsync("template1", "select datname from pg_database where datallowconn order by datname", cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Counts the rows of every table, materialized view and TOAST table of a database, reading every page of each (an index-only scan would
    /// not), so that a page that cannot be read, or whose checksum is wrong, is found.
    /// </summary>
    public async ValueTask<(int Tables, long Rows, IReadOnlyList<string> Findings)> CountAsync(string database, CancellationToken cancellationToken)
    {
        var findings = new List<string>();
        var (tables, rows) = (0, 0L);
        var connection = new NpgsqlConnection(ConnectionString(database));
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, "set enable_indexonlyscan = off; set enable_indexscan = off; set enable_bitmapscan = off", cancellationToken)
                .ConfigureAwait(false);
            // Unlogged tables are empty after recovery, and temporary ones belong to sessions that are gone.
            var names = await ColumnAsync(
                connection,
                "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                + "where c.relkind in ('r', 'm', 't') and c.relpersistence = 'p' and (c.relkind <> 'm' or c.relispopulated) order by c.relfilenode, c.oid",
                cancellationToken).ConfigureAwait(false);
            foreach (var name in names)
            {
                try
                {
                    var counted = await ColumnAsync(connection, $"select count(*) from {name}", cancellationToken).ConfigureAwait(false);
                    rows += long.Parse(counted[0], CultureInfo.InvariantCulture);
                    tables++;
                }
                catch (PostgresException e)
                {
                    findings.Add($"{database}: {name} cannot be read: {e.MessageText} ({e.SqlState})");
                }
            }
        }

        return (tables, rows, findings);
    }

    /// <summary>Checksum failures that the server has counted; empty if none, or if the cluster has no checksums.</summary>
    public async ValueTask<IReadOnlyList<string>> ChecksumFailuresAsync(CancellationToken cancellationToken) =>
        await ColumnAsync(
            "template1",
            "select format('%s: %s pages with a wrong checksum', coalesce(datname, 'shared tables'), checksum_failures) from pg_stat_database where checksum_failures > 0",
            cancellationToken).ConfigureAwait(false);

    /// <summary>Runs a check of the user's; null if it is as expected.</summary>
    public async ValueTask<string?> RunAsync(RowCheck check, CancellationToken cancellationToken)
    {
        try
        {
            var rows = await ColumnAsync(check.Database, check.Sql, cancellationToken).ConfigureAwait(false);
            var got = rows.Count > 0 ? rows[0] : null;
            if (check.Expected is null) return got is null or "" or "False" ? $"{check.Database}: {check.Sql}: gave {got ?? "no row"}." : null;
            return got == check.Expected ? null : $"{check.Database}: {check.Sql}: expected {check.Expected}, got {got ?? "no row"}.";
        }
        catch (NpgsqlException e)
        {
            return $"{check.Database}: {check.Sql}: {e.Message}";
        }
    }

    public async ValueTask<IReadOnlyList<string>> ColumnAsync(string database, string sql, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(ConnectionString(database));
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return await ColumnAsync(connection, sql, cancellationToken).ConfigureAwait(false);
        }
    }

    public static async ValueTask ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false)) await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<IReadOnlyList<string>> ColumnAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var values = new List<string>();
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    values.Add(reader.IsDBNull(0) ? "" : Convert.ToString(reader.GetValue(0), CultureInfo.InvariantCulture) ?? "");
                return values;
            }
        }
    }
}
