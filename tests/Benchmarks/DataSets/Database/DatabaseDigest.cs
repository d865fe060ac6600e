using System.Text;
using Npgsql;

namespace FunctionsBackup.Benchmarks.DataSets.Database;

/// <summary>Row count and an order-free hash of all rows of every user table: equal digests, equal tables.</summary>
public static class DatabaseDigest
{
    public static async Task<string> OfAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var tables = new List<string>();
        await using (var list = database.CreateCommand(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables " +
            "where schemaname not in ('pg_catalog', 'information_schema') order by 1"))
        await using (var reader = await list.ExecuteReaderAsync(cancellationToken))
            while (await reader.ReadAsync(cancellationToken)) tables.Add(reader.GetString(0));

        var digest = new StringBuilder();
        foreach (var table in tables)
        {
            await using var command = database.CreateCommand(
                $"select count(*) || ' rows, sum ' || coalesce(sum(hashtextextended(t::text, 7)::numeric), 0) from {table} t");
            command.CommandTimeout = 0;
            digest.Append(table).Append(": ").Append(await command.ExecuteScalarAsync(cancellationToken)).Append('\n');
        }

        return digest.ToString();
    }
}
