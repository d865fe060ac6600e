using System.Globalization;
using Npgsql;

namespace FunctionsBackup.Benchmarks.DataSets.Database;

/// <summary>
/// One per cent of change: updates of single rows spread evenly over the utterances, as many as 1 % of that table's pages, and 0.1 % new
/// calls at the end. The same rows for one step and seed.
/// </summary>
public static class CallDatabaseChange
{
    /// <returns>Rows updated.</returns>
    public static async Task<long> ApplyAsync(NpgsqlDataSource database, int step, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var seed = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"select setseed({step % 1000 / 1000.0})"), connection);
        await seed.ExecuteNonQueryAsync(cancellationToken);
        await using var update = new NpgsqlCommand(
            """
            with size as (select max(id) as last, pg_relation_size('utterances') / 8192 / 100 as pages from utterances),
                 picked as materialized (
                   select distinct (random() * size.last)::bigint as id from size, generate_series(1, (select pages from size)))
            update utterances set confidence = 0.999, said = said || ' (corrected)' from picked where utterances.id = picked.id
            """, connection) { CommandTimeout = 0 };
        var rows = await update.ExecuteNonQueryAsync(cancellationToken);
        await using var insert = new NpgsqlCommand(
            """
            insert into calls
            select gen_random_uuid(), room, agent_id, caller, started_at + interval '1 year', ended_at + interval '1 year', cost, outcome, metadata
            from calls tablesample system (0.1)
            """, connection) { CommandTimeout = 0 };
        await insert.ExecuteNonQueryAsync(cancellationToken);
        return rows;
    }
}
