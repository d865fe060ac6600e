using FunctionsBackup.SelfHosting.Engine.History;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>The statements that change the state file, prepared once. Used by the writer's thread alone, within its transaction.</summary>
internal sealed class StateTables : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, Statement> _statements = [];

    public StateTables(SqliteConnection connection) => _connection = connection;

    /// <summary>Whether messages were added since it was last set to false.</summary>
    public bool InboxChanged { get; set; }

    public InstanceRow? Find(string instanceId) =>
        Prepare($"SELECT {InstanceRow.Columns} FROM instances WHERE instance_id = ?1", 1).Read(InstanceRow.Read, instanceId) is [var row]
            ? row : null;

    public InstanceRow? Find(long key) =>
        Prepare($"SELECT {InstanceRow.Columns} FROM instances WHERE key = ?1", 1).Read(InstanceRow.Read, key) is [var row] ? row : null;

    public bool Exists(long key) => Prepare("SELECT 1 FROM instances WHERE key = ?1", 1).Scalar(key) is not null;

    /// <returns>Its key.</returns>
    public long AddInstance(
        string instanceId, string name, string? version, DateTimeOffset now, string? input, string? tags, long? parentKey,
        long? parentTask) =>
        (long)Prepare(
            """
            INSERT INTO instances (instance_id, name, version, status, created, updated, input, tags, parent_key, parent_task)
            VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9) RETURNING key
            """, 9).Scalar(
            instanceId, name, version, (int)OrchestrationRuntimeStatus.Pending, now.UtcTicks, input, tags, parentKey, parentTask)!;

    /// <summary>Removes an instance and all that belongs to it alone.</summary>
    public void RemoveInstance(long key)
    {
        ClearHistory(key);
        ClearTasks(key);
        Prepare("DELETE FROM inbox WHERE instance = ?1", 1).Execute(key);
        Prepare("DELETE FROM instances WHERE key = ?1", 1).Execute(key);
    }

    public void ClearHistory(long key) => Prepare("DELETE FROM history WHERE instance = ?1", 1).Execute(key);

    public void ClearTasks(long key)
    {
        Prepare("DELETE FROM work WHERE instance = ?1", 1).Execute(key);
        Prepare("DELETE FROM timers WHERE instance = ?1", 1).Execute(key);
    }

    public void AddHistory(long key, HistoryEventRow row) =>
        Prepare("INSERT INTO history VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", 8).Execute(
            key, row.Sequence, (int)row.Kind, row.Time.UtcTicks, row.TaskId, row.Name, row.Detail, row.Data);

    public void AddWork(long key, long taskId, long sequence) =>
        Prepare("INSERT INTO work VALUES (?1, ?2, ?3)", 3).Execute(key, taskId, sequence);

    public void RemoveWork(long key, long taskId) =>
        Prepare("DELETE FROM work WHERE instance = ?1 AND task_id = ?2", 2).Execute(key, taskId);

    public void AddTimer(long key, long taskId, DateTimeOffset due) =>
        Prepare("INSERT INTO timers VALUES (?1, ?2, ?3)", 3).Execute(key, taskId, due.UtcTicks);

    public void RemoveTimer(long key, long taskId) =>
        Prepare("DELETE FROM timers WHERE instance = ?1 AND task_id = ?2", 2).Execute(key, taskId);

    /// <param name="message">With an inbox id of 0 it gets the next one; an event that is carried on keeps its place.</param>
    public void AddMessage(Message message)
    {
        Prepare("INSERT INTO inbox VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", 8).Execute(
            message.InboxId == 0 ? null : message.InboxId, message.Instance, (int)message.Kind, message.TaskId, message.Name,
            message.Detail, message.Data, message.Due?.UtcTicks);
        InboxChanged = true;
    }

    public void RemoveMessage(long id) => Prepare("DELETE FROM inbox WHERE id = ?1", 1).Execute(id);

    public void SetStatus(long key, OrchestrationRuntimeStatus status, DateTimeOffset now) =>
        Prepare("UPDATE instances SET status = ?2, updated = ?3 WHERE key = ?1", 3).Execute(key, (int)status, now.UtcTicks);

    public void SetStarted(long key, string version, string? input) =>
        Prepare("UPDATE instances SET version = ?2, input = ?3 WHERE key = ?1", 3).Execute(key, version, input);

    public void SetCustomStatus(long key, string? json) =>
        Prepare("UPDATE instances SET custom_status = ?2 WHERE key = ?1", 2).Execute(key, json);

    public void SetEnd(long key, string? output, string? failure) =>
        Prepare("UPDATE instances SET output = ?2, failure = ?3 WHERE key = ?1", 3).Execute(key, output, failure);

    public void SetParentTask(long key, long parentTask) =>
        Prepare("UPDATE instances SET parent_task = ?2 WHERE key = ?1", 2).Execute(key, parentTask);

    public List<InstanceRow> Children(long key) =>
        Prepare($"SELECT {InstanceRow.Columns} FROM instances WHERE parent_key = ?1", 1).Read(InstanceRow.Read, key);

    public List<Message> MessagesAfter(long id) =>
        Prepare("SELECT id, instance, kind, task_id, name, detail, data, due FROM inbox WHERE id > ?1 ORDER BY id", 1).Read(
            row => new Message(
                row.GetInt64(1), (HistoryEventKind)row.GetInt32(2), row.GetInt64(0), row.GetInt64(3), InstanceRow.Text(row, 4),
                InstanceRow.Text(row, 5), InstanceRow.Text(row, 6), row.IsDBNull(7) ? null : InstanceRow.Time(row, 7)),
            id);

    public List<PendingActivity> Work() =>
        Prepare(
            """
            SELECT w.instance, i.instance_id, w.task_id, h.name, h.data FROM work w
            JOIN instances i ON i.key = w.instance JOIN history h ON h.instance = w.instance AND h.sequence = w.sequence
            ORDER BY w.instance, w.task_id
            """, 0).Read(row => new PendingActivity(
                row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetString(3), InstanceRow.Text(row, 4)));

    public List<PendingTimer> Timers() =>
        Prepare("SELECT instance, task_id, due FROM timers", 0).Read(
            row => new PendingTimer(row.GetInt64(0), row.GetInt64(1), InstanceRow.Time(row, 2)));

    /// <summary>Changes when another connection has committed.</summary>
    public long DataVersion() => (long)Prepare("PRAGMA data_version", 0).Scalar()!;

    public bool Run(string sql)
    {
        Prepare(sql, 0).Execute();
        return true;
    }

    /// <summary>Statements with a text of their own, such as those with filters.</summary>
    public Statement Prepare(string sql, int parameters)
    {
        if (!_statements.TryGetValue(sql, out var statement)) _statements[sql] = statement = new(_connection, sql, parameters);
        return statement;
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values) statement.Dispose();
        _connection.Dispose();
    }
}
