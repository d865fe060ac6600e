using System.Collections.Concurrent;
using FunctionsBackup.SelfHosting.Engine.History;
using Microsoft.Data.Sqlite;

namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>Reads beside the writer: each read sees the last commit. Any thread.</summary>
internal sealed class StateReader(StateFile file) : IDisposable
{
    private readonly ConcurrentBag<SqliteConnection> _idle = [];
    private volatile bool _disposed;

    public InstanceRow? Find(string instanceId) =>
        Read($"SELECT {InstanceRow.Columns} FROM instances WHERE instance_id = $1", InstanceRow.Read, instanceId) is [var row] ? row : null;

    public InstanceRow? Find(long key) =>
        Read($"SELECT {InstanceRow.Columns} FROM instances WHERE key = $1", InstanceRow.Read, key) is [var row] ? row : null;

    public List<HistoryEventRow> History(long key) => Read(
        "SELECT sequence, kind, time, task_id, name, detail, data FROM history WHERE instance = $1 ORDER BY sequence",
        row => new HistoryEventRow(
            row.GetInt64(0), (HistoryEventKind)row.GetInt32(1), InstanceRow.Time(row, 2), row.GetInt64(3), InstanceRow.Text(row, 4),
            InstanceRow.Text(row, 5), InstanceRow.Text(row, 6)),
        key);

    /// <param name="sql">With the parameters $1, $2, …</param>
    /// <param name="map">Makes a value of a row.</param>
    /// <param name="values">The parameters.</param>
    public List<T> Read<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> values)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        try
        {
            if (!_idle.TryTake(out var connection)) connection = file.Connect();
            try
            {
                using var command = connection.CreateCommand();
                command.CommandText = sql;
                for (var i = 0; i < values.Length; i++) command.Parameters.AddWithValue($"${i + 1}", values[i] ?? DBNull.Value);
                using var reader = command.ExecuteReader();
                var rows = new List<T>();
                while (reader.Read()) rows.Add(map(reader));
                return rows;
            }
            finally
            {
                _idle.Add(connection);
                if (_disposed) Dispose();
            }
        }
        catch (SqliteException e)
        {
            throw StateFileException.From(e, file.Path);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var connection)) connection.Dispose();
    }
}
