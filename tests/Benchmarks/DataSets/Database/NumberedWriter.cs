using System.Globalization;
using Npgsql;

namespace FunctionsBackup.Benchmarks.DataSets.Database;

/// <summary>
/// Commits one numbered row after the other, and keeps a ledger outside the database: number and commit time (the server's own, needs
/// <c>track_commit_timestamp</c>) of every commit that the server acknowledged.
/// </summary>
public static class NumberedWriter
{
    private const string Table = "create table if not exists ticks (n bigint primary key, said text not null, written_at timestamptz not null)";

    /// <summary>Writes until cancelled, or until the server is gone.</summary>
    public static async Task RunAsync(NpgsqlDataSource database, string ledgerPath, TimeSpan pause, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var create = new NpgsqlCommand(Table, connection)) await create.ExecuteNonQueryAsync(cancellationToken);
        await using var insert = new NpgsqlCommand(
            "insert into ticks values ($1, $2, clock_timestamp()) returning pg_current_xact_id()::text", connection);
        insert.Parameters.Add(new NpgsqlParameter<long>());
        insert.Parameters.Add(new NpgsqlParameter<string>());
        await using var committed = new NpgsqlCommand("select pg_xact_commit_timestamp($1::text::xid)", connection);
        committed.Parameters.Add(new NpgsqlParameter<string>());
        await using var ledger = new StreamWriter(ledgerPath, append: true) { AutoFlush = true };
        using var pace = new PeriodicTimer(pause);
        try
        {
            for (long n = 1; !cancellationToken.IsCancellationRequested; n++)
            {
                ((NpgsqlParameter<long>)insert.Parameters[0]).TypedValue = n;
                ((NpgsqlParameter<string>)insert.Parameters[1]).TypedValue = string.Create(CultureInfo.InvariantCulture, $"tick {n}");
                ((NpgsqlParameter<string>)committed.Parameters[0]).TypedValue = (string)(await insert.ExecuteScalarAsync(cancellationToken))!;
                var at = (DateTime)(await committed.ExecuteScalarAsync(cancellationToken))!;
                await ledger.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{n}\t{at:yyyy-MM-ddTHH:mm:ss.ffffffZ}"));
                await pace.WaitForNextTickAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
        catch (NpgsqlException)
        {
            // The server is gone: what the ledger has was acknowledged.
        }
    }
}
