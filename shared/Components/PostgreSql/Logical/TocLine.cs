namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>A line of <c>pg_restore --list</c>: <c>217; 1259 16386 TABLE public calls postgres</c>.</summary>
/// <param name="Type">Of one or more words.</param>
/// <param name="Schema"><c>-</c>: none.</param>
/// <param name="Tag">Its name.</param>
internal sealed record TocLine(string Type, string Schema, string Tag)
{
    /// <summary>Types of several words; the longest that fits counts.</summary>
    private static readonly string[] Long =
    [
        "ACCESS METHOD", "CHECK CONSTRAINT", "COMMENT", "DATABASE PROPERTIES", "DEFAULT ACL", "EVENT TRIGGER", "FK CONSTRAINT", "FOREIGN DATA WRAPPER", "FOREIGN SERVER",
        "FOREIGN TABLE", "INDEX ATTACH", "MATERIALIZED VIEW DATA", "MATERIALIZED VIEW", "OPERATOR CLASS", "OPERATOR FAMILY", "PROCEDURAL LANGUAGE", "PUBLICATION TABLES IN SCHEMA",
        "PUBLICATION TABLE", "ROW SECURITY", "SECURITY LABEL", "SEQUENCE OWNED BY", "SEQUENCE SET", "SHELL TYPE", "TABLE ATTACH", "TABLE DATA", "TEXT SEARCH CONFIGURATION",
        "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "USER MAPPING",
    ];

    /// <summary>Null: it is a comment, or none.</summary>
    public static TocLine? Parse(string line)
    {
        if (line.StartsWith(';') || line.IndexOf(';') is < 0 or > 10) return null;
        var words = line[(line.IndexOf(';') + 1)..].Trim().Split(' ');
        if (words.Length < 5) return null;
        var rest = string.Join(' ', words[2..]);
        var type = Long.Where(l => rest.StartsWith(l + " ", StringComparison.Ordinal)).MaxBy(l => l.Length) ?? words[2];
        var behind = rest[type.Length..].Trim().Split(' ');
        // schema, tag of one or more words, owner (of some none)
        return behind.Length < 2 ? null : new TocLine(type, behind[0], string.Join(' ', behind[1..Math.Max(2, behind.Length - 1)]));
    }
}
