using System.Net.Sockets;
using FunctionsBackup.Components.PostgreSql.Protocol;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>How far a primary has made its write-ahead log durable: what the archive is compared with to tell what is not archived yet.</summary>
/// <param name="SystemIdentifier">Decimal.</param>
/// <param name="Timeline">The one that is written now.</param>
/// <param name="Flushed">End of what is durable. After a switch, the beginning of the next segment.</param>
public sealed record ServerPosition(string SystemIdentifier, uint Timeline, Lsn Flushed)
{
    private const int TimeoutSeconds = 5;

    /// <summary>
    /// Asks the server, for a few seconds at most. Null if it is not there or refuses, and if it is a standby, whose position says nothing of
    /// what its primary has written.
    /// </summary>
    /// <param name="connectionString">Npgsql form or URI.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<ServerPosition?> FindAsync(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(connectionString, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or SocketException or FormatException)
        {
            return null;
        }
    }

    private static async ValueTask<ServerPosition?> AskAsync(string connectionString, CancellationToken cancellationToken)
    {
        // pg_walfile_name begins with the timeline of now; pg_control_checkpoint has that of the last checkpoint.
        const string Sql = """
            select (select system_identifier::text from pg_control_system()), pg_walfile_name(lsn), lsn::text
            from (select pg_current_wal_flush_lsn() as lsn where not pg_is_in_recovery()) as primary_only
            """;
        var settings = PostgresConnectionString.Parse(connectionString);
        settings.ApplicationName ??= "fbackup status";
        settings.Timeout = TimeoutSeconds;
        settings.CommandTimeout = TimeoutSeconds;
        settings.Pooling = false;
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && WalSegmentName.TryParse(reader.GetString(1), out var segment)
            ? new ServerPosition(reader.GetString(0), segment.Timeline, Lsn.Parse(reader.GetString(2)))
            : null;
    }
}
