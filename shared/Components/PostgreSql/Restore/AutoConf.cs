using System.Text;
using FunctionsBackup.Components.Files;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>
/// Edits <c>postgresql.auto.conf</c> as ALTER SYSTEM does. It is read after postgresql.conf, wherever that lies, so what is set here counts.
/// The text is kept byte for byte (as Latin-1), whatever its encoding.
/// </summary>
public static class AutoConf
{
    /// <summary>The content with every setting of <paramref name="remove"/> taken out and <paramref name="add"/> put at its end.</summary>
    /// <exception cref="RestoreRefusedException">A value has a line break or NUL, which no setting can have.</exception>
    public static byte[] Edit(ReadOnlySpan<byte> content, IReadOnlyCollection<string> remove, IEnumerable<KeyValuePair<string, string>> add)
    {
        var result = new StringBuilder();
        foreach (var line in Encoding.Latin1.GetString(content).Split('\n'))
            if (line.Length > 0 && !remove.Contains(NameOf(line), StringComparer.OrdinalIgnoreCase)) result.Append(line).Append('\n');
        foreach (var (name, value) in add) result.Append(name).Append(" = ").Append(Quote(value)).Append('\n');
        return Encoding.Latin1.GetBytes(result.ToString());
    }

    /// <summary>The name that a line sets, or nothing for a comment.</summary>
    private static string NameOf(string line)
    {
        var text = line.AsSpan().TrimStart();
        var length = 0;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '_' or '.' or '$')) length++;
        return text[..length].ToString();
    }

    /// <summary>In single quotes, with quotes and backslashes doubled (guc-file.l: both are special inside).</summary>
    private static string Quote(string value)
    {
        if (value.AsSpan().ContainsAny('\0', '\n', '\r'))
            throw new RestoreRefusedException("A server setting cannot hold a line break; give restore_command on one line.");
        var bytes = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value));
        return "'" + bytes.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal) + "'";
    }
}
