using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Protocol;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>What the server gave when the backup was ended.</summary>
/// <param name="StopLsn">Where the copy is consistent.</param>
/// <param name="Label">Content of <c>backup_label</c>.</param>
/// <param name="TablespaceMap">Content of <c>tablespace_map</c>; empty if there are no tablespaces.</param>
/// <param name="Time">The server's clock.</param>
internal sealed record BackupStop(Lsn StopLsn, string Label, string TablespaceMap, DateTimeOffset Time);

/// <summary>
/// The SQL session of a backup beside the server (PostgreSQL manual, 26.3.4). The server's backup state and the temporary slot belong to
/// it: when it closes, for whatever reason, the server drops both.
/// </summary>
internal sealed class DirectSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private string? _slot;

    private DirectSession(NpgsqlConnection connection) => _connection = connection;

    public ClusterFacts Facts { get; private set; } = null!;

    public ServerState State { get; private set; } = null!;

    public bool InRecovery => State.InRecovery;

    public int Port { get; private set; }

    public DateTimeOffset StartTime { get; private set; }

    /// <exception cref="PostgresBackupException">The server cannot be reached, or is too old.</exception>
    public static async ValueTask<DirectSession> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var builder = PostgresConnectionString.Parse(connectionString);
        builder.Pooling = false;
        builder.CommandTimeout = 0; // the checkpoint at the start may take as long as checkpoint_timeout
        builder.KeepAlive = 60;
        builder.ApplicationName ??= "fbackup";
        var session = new DirectSession(new NpgsqlConnection(builder.ConnectionString));
        try
        {
            await session._connection.OpenAsync(cancellationToken);
            await session.IdentifyAsync(cancellationToken);
            return session;
        }
        catch (NpgsqlException exception)
        {
            await session.DisposeAsync();
            throw new PostgresBackupException($"The PostgreSQL server cannot be used: {exception.Message}.", exception);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private async ValueTask IdentifyAsync(CancellationToken cancellationToken)
    {
        const string Sql = """
            select current_setting('server_version_num')::int, (select system_identifier::text from pg_control_system()), pg_is_in_recovery(),
                   current_setting('block_size')::int, current_setting('wal_segment_size'), current_setting('segment_size'),
                   current_setting('data_checksums') = 'on', current_setting('port')::int, current_setting('wal_log_hints') = 'on',
                   (extract(epoch from pg_postmaster_start_time()) * 1000000)::int8
            """;
        await ExecuteAsync("set statement_timeout = 0", cancellationToken);
        await using var command = new NpgsqlCommand(Sql, _connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var blockSize = reader.GetInt32(3);
        Facts = new ClusterFacts(
            reader.GetString(1), reader.GetInt32(0), (int)ClusterFacts.ParseSize(reader.GetString(4)), blockSize,
            (uint)(ClusterFacts.ParseSize(reader.GetString(5)) / blockSize), reader.GetBoolean(6)).Check();
        State = new ServerState(reader.GetInt64(9), reader.GetBoolean(2), Facts.DataChecksums || reader.GetBoolean(8));
        Port = reader.GetInt32(7);
        await reader.DisposeAsync();
        // A session that only waits while files are read must not be ended for idleness.
        if (Facts.ServerVersion >= 140000) await ExecuteAsync("set idle_session_timeout = 0", cancellationToken);
    }

    /// <summary>
    /// Keeps the server from recycling WAL until <see cref="ReleaseWalAsync"/> or the session's end; the reason if it has no slot to give.
    /// </summary>
    public async ValueTask<string?> ReserveWalAsync(CancellationToken cancellationToken)
    {
        var name = $"fbackup_{Guid.NewGuid():N}";
        try
        {
            await using var command = new NpgsqlCommand("select pg_create_physical_replication_slot($1, true, true)::text", _connection)
            {
                Parameters = { new() { Value = name } },
            };
            await command.ExecuteScalarAsync(cancellationToken);
            _slot = name;
            return null;
        }
        catch (PostgresException exception)
        {
            return exception.MessageText;
        }
    }

    /// <summary>Lets the server recycle WAL again; false if none was reserved.</summary>
    public async ValueTask<bool> ReleaseWalAsync(CancellationToken cancellationToken)
    {
        if (_slot is not { } name) return false;
        await using var command = new NpgsqlCommand("select pg_drop_replication_slot($1)", _connection) { Parameters = { new() { Value = name } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
        _slot = null;
        return true;
    }

    /// <summary>Begins the backup: a checkpoint is made.</summary>
    /// <returns>Where replay begins.</returns>
    public async ValueTask<Lsn> StartAsync(string label, bool fastCheckpoint, CancellationToken cancellationToken)
    {
        var sql = Facts.ServerVersion >= 150000
            ? "select pg_backup_start($1, $2)::text, clock_timestamp()"
            : "select pg_start_backup($1, $2, false)::text, clock_timestamp()";
        await using var command = new NpgsqlCommand(sql, _connection) { Parameters = { new() { Value = label }, new() { Value = fastCheckpoint } } };
        try
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            StartTime = new DateTimeOffset(reader.GetDateTime(1).ToUniversalTime());
            return Lsn.Parse(reader.GetString(0));
        }
        catch (PostgresException exception)
        {
            throw new PostgresBackupException($"The server refuses to start a backup: {exception.MessageText}.", exception);
        }
    }

    /// <summary>Ends the backup. The server is not asked to wait for its archiver, since the WAL is archived by us.</summary>
    public async ValueTask<BackupStop> StopAsync(CancellationToken cancellationToken)
    {
        var sql = Facts.ServerVersion >= 150000
            ? "select lsn::text, labelfile, coalesce(spcmapfile, ''), clock_timestamp() from pg_backup_stop(false)"
            : "select lsn::text, labelfile, coalesce(spcmapfile, ''), clock_timestamp() from pg_stop_backup(false, false)";
        try
        {
            await using var command = new NpgsqlCommand(sql, _connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return new BackupStop(
                Lsn.Parse(reader.GetString(0)), reader.GetString(1), reader.GetString(2), new DateTimeOffset(reader.GetDateTime(3).ToUniversalTime()));
        }
        catch (NpgsqlException exception)
        {
            throw new PostgresBackupException(
                $"The server did not end the backup, so it is not usable: {(exception as PostgresException)?.MessageText ?? exception.Message}.", exception);
        }
    }

    /// <summary>Runs a query whose rows are read by <paramref name="read"/>.</summary>
    public async ValueTask QueryAsync(
        string sql, IReadOnlyList<object> parameters, Action<NpgsqlDataReader> read, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        foreach (var value in parameters) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) read(reader);
    }

    private async ValueTask ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_connection.Host}:{_connection.Port}");

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
