namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>The tables of the state file; docs/durable-engine.md explains them.</summary>
internal static class StateSchema
{
    public const int Version = 1;

    public const string Product = "FunctionsBackup durable state";

    /// <summary>Times are ticks of 100 ns, UTC.</summary>
    public const string Tables = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE instances (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            instance_id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            version TEXT,
            status INTEGER NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            input TEXT,
            output TEXT,
            custom_status TEXT,
            failure TEXT,
            tags TEXT,
            parent_key INTEGER,
            parent_task INTEGER);
        CREATE INDEX instances_by_status ON instances (status, key);
        CREATE INDEX instances_by_creation ON instances (created);
        CREATE INDEX instances_by_parent ON instances (parent_key) WHERE parent_key IS NOT NULL;
        CREATE TABLE history (
            instance INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            time INTEGER NOT NULL,
            task_id INTEGER NOT NULL,
            name TEXT,
            detail TEXT,
            data TEXT,
            PRIMARY KEY (instance, sequence)) WITHOUT ROWID;
        CREATE TABLE inbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            instance INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            task_id INTEGER NOT NULL,
            name TEXT,
            detail TEXT,
            data TEXT,
            due INTEGER);
        CREATE INDEX inbox_by_instance ON inbox (instance);
        CREATE TABLE work (
            instance INTEGER NOT NULL,
            task_id INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (instance, task_id)) WITHOUT ROWID;
        CREATE TABLE timers (
            instance INTEGER NOT NULL,
            task_id INTEGER NOT NULL,
            due INTEGER NOT NULL,
            PRIMARY KEY (instance, task_id)) WITHOUT ROWID;
        """;
}
