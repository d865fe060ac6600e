using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Tests.Servers;
using Npgsql;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>
/// Commits numbered rows, one transaction each, into two tables of which one is in another tablespace, and notes where and when each was.
/// </summary>
internal sealed class RowWriter : IAsyncDisposable
{
    private const string Insert =
        "with first as (insert into numbered (n, filler) values ($1, $2)) insert into elsewhere (n, filler) values ($1, $2) returning txid_current()";

    private const string Look = "select pg_current_wal_insert_lsn()::text, pg_xact_commit_timestamp($1::text::xid)";

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _pause = new(1);
    private readonly List<NumberedRow> _rows = [];
    private readonly NpgsqlConnection _connection;
    private readonly Task _task;

    private RowWriter(NpgsqlConnection connection)
    {
        _connection = connection;
        _task = Task.Run(WriteAsync);
    }

    public static string Tables(string tablespaceDirectory) =>
        $"create tablespace other location '{tablespaceDirectory}'";

    public static string Schema =>
        "create table numbered (n int primary key, filler bytea not null); create table elsewhere (n int primary key, filler bytea not null) tablespace other";

    public static async Task<RowWriter> StartAsync(PostgresServer server)
    {
        var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        return new RowWriter(connection);
    }

    /// <summary>Waits until this many more rows are committed, and gives the last.</summary>
    public async Task<NumberedRow> WaitForAsync(int more)
    {
        var goal = Count() + more;
        while (Count() < goal)
        {
            if (_task.IsCompleted) await _task;
            await Task.Delay(5);
        }

        return Rows()[^1];
    }

    /// <summary>Does something between two rows, and gives the row before it.</summary>
    public async Task<NumberedRow> BetweenAsync(Func<Task> action)
    {
        await _pause.WaitAsync();
        try
        {
            await action();
            return Rows()[^1];
        }
        finally
        {
            _pause.Release();
        }
    }

    /// <summary>Commits no more, and gives all rows.</summary>
    public async Task<IReadOnlyList<NumberedRow>> StopAsync()
    {
        await _stop.CancelAsync();
        await _task;
        return Rows();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _connection.DisposeAsync();
        _stop.Dispose();
        _pause.Dispose();
    }

    private async Task WriteAsync()
    {
        var random = new Random(1);
        var filler = new byte[6000];
        for (var number = 1; !_stop.IsCancellationRequested; number++)
        {
            await _pause.WaitAsync();
            try
            {
                random.NextBytes(filler);
                await using var insert = new NpgsqlCommand(Insert, _connection) { Parameters = { new() { Value = number }, new() { Value = filler } } };
                var xid = (uint)(long)(await insert.ExecuteScalarAsync())!;
                await using var look = new NpgsqlCommand(Look, _connection) { Parameters = { new() { Value = xid.ToString() } } };
                await using var reader = await look.ExecuteReaderAsync();
                await reader.ReadAsync();
                var row = new NumberedRow(number, Lsn.Parse(reader.GetString(0)), reader.GetFieldValue<DateTime>(1), xid);
                lock (_rows) _rows.Add(row);
            }
            finally
            {
                _pause.Release();
            }

            await Task.Yield();
        }
    }

    private int Count()
    {
        lock (_rows) return _rows.Count;
    }

    private NumberedRow[] Rows()
    {
        lock (_rows) return [.. _rows];
    }
}
