using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>Where a tablespace goes instead of where it was.</summary>
/// <param name="Source">Its directory at the time of the backup, or its OID in decimal.</param>
/// <param name="Target">Absolute directory.</param>
public sealed record TablespaceMapping(string Source, string Target)
{
    /// <summary><c>OLD=NEW</c> or <c>OID=NEW</c>; <c>\=</c> stands for an equals sign in a path, as in pg_basebackup.</summary>
    /// <exception cref="FormatException">It is not of that form.</exception>
    public static TablespaceMapping Parse(string text)
    {
        var at = -1;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '=' || (i > 0 && text[i - 1] == '\\')) continue;
            if (at >= 0) throw Wrong();
            at = i;
        }

        if (at <= 0 || at == text.Length - 1) throw Wrong();
        var mapping = new TablespaceMapping(Unescape(text[..at]), Unescape(text[(at + 1)..]));
        return Path.IsPathRooted(mapping.Target) && (Path.IsPathRooted(mapping.Source) || IsOid(mapping.Source)) ? mapping : throw Wrong();

        FormatException Wrong() => new($"'{text}' is not a tablespace mapping; write OLD=NEW or OID=NEW with absolute directories.");
    }

    public bool IsFor(PostgresTablespace tablespace) =>
        Source == tablespace.Oid.ToString(CultureInfo.InvariantCulture)
        || (Path.IsPathRooted(Source) && Trim(Source) == Trim(tablespace.Location));

    private static bool IsOid(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static string Trim(string path) => path.Length > 1 ? path.TrimEnd('/') : path;

    private static string Unescape(string text) => text.Replace("\\=", "=", StringComparison.Ordinal);
}
