using FunctionsBackup.Components.Files;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>What of a logical backup is restored, and under which names.</summary>
public sealed class LogicalRestorePlan
{
    private readonly LogicalRestoreOptions _options;

    private LogicalRestorePlan(LogicalRestoreOptions options, List<(LogicalDatabase Database, string Name)> databases) => (_options, Databases) = (options, databases);

    /// <summary>Each with the name that it gets.</summary>
    public IReadOnlyList<(LogicalDatabase Database, string Name)> Databases { get; }

    /// <summary>Whether no schemas or tables were chosen.</summary>
    public bool IsWhole => _options.Schemas.Count == 0 && _options.Tables.Count == 0;

    /// <exception cref="RestoreRefusedException">The recovery point does not have what was asked for.</exception>
    public static LogicalRestorePlan Of(LogicalSnapshotReader reader, LogicalRestoreOptions options)
    {
        var databases = new List<(LogicalDatabase, string)>();
        if (options.Databases.Count == 0) databases.AddRange(reader.Databases.Select(d => (d, d.Name)));
        foreach (var wanted in options.Databases)
        {
            var parts = wanted.Split('=', 2);
            var database = reader.Find(parts[0]) ?? throw new RestoreRefusedException(
                $"The recovery point has no database {parts[0]}; it has {string.Join(", ", reader.Databases.Select(d => d.Name))}.");
            databases.Add((database, parts[^1]));
        }

        var plan = new LogicalRestorePlan(options, databases);
        foreach (var schema in options.Schemas)
            if (!databases.Exists(d => d.Item1.Tables.Exists(t => t.Schema == schema)))
                throw new RestoreRefusedException($"The recovery point has no tables in a schema {schema}; look at the name, which is case-sensitive.");
        foreach (var table in options.Tables)
            if (!databases.Exists(d => d.Item1.Tables.Exists(t => IsNamed(t, table))))
                throw new RestoreRefusedException($"The recovery point has no table {table}; write schema.table, which is case-sensitive.");
        return plan;
    }

    public bool Includes(LogicalTable table) =>
        (_options.Schemas.Count == 0 || _options.Schemas.Contains(table.Schema)) && (_options.Tables.Count == 0 || _options.Tables.Any(t => IsNamed(table, t)));

    /// <summary>Whether an entry of an archive's table of contents (pg_restore -l) is restored.</summary>
    /// <param name="type">As <c>TABLE</c> or <c>FK CONSTRAINT</c>.</param>
    /// <param name="schema">Its schema; <c>-</c>: none.</param>
    /// <param name="tag">Its name; of a constraint, a trigger and the like, that of the table comes first.</param>
    public bool Includes(string type, string schema, string tag)
    {
        if (IsWhole) return true;
        if (_options.Tables.Count == 0) return _options.Schemas.Contains(schema) || (schema == "-" && type == "SCHEMA" && _options.Schemas.Contains(tag));
        if (type is not ("TABLE" or "TABLE ATTACH" or "DEFAULT" or "CONSTRAINT" or "CHECK CONSTRAINT" or "FK CONSTRAINT" or "TRIGGER" or "RULE" or "POLICY" or "ROW SECURITY"
            or "SEQUENCE" or "SEQUENCE OWNED BY" or "INDEX" or "ACL" or "COMMENT" or "STATISTICS"))
            return false;
        var words = tag.Split(' ');
        // ACL and COMMENT: "TABLE name"; the others begin with the table's name. Of a sequence and an index, what is named after the table.
        var name = type is "ACL" or "COMMENT" && words.Length > 1 ? words[1] : words[0];
        return _options.Tables.Any(t =>
        {
            var (wantedSchema, wanted) = Split(t);
            return (wantedSchema is null || wantedSchema == schema)
                && (name == wanted || (type is "SEQUENCE" or "SEQUENCE OWNED BY" or "INDEX" && name.StartsWith(wanted + "_", StringComparison.Ordinal)));
        });
    }

    private static bool IsNamed(LogicalTable table, string name)
    {
        var (schema, wanted) = Split(name);
        return table.Name == wanted && (schema is null || table.Schema == schema);
    }

    private static (string? Schema, string Name) Split(string name) => name.IndexOf('.') is > 0 and var dot ? (name[..dot], name[(dot + 1)..]) : (null, name);
}
