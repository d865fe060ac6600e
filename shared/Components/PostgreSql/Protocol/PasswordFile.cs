using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>The password file, lines of <c>host:port:database:user:password</c> (PostgreSQL manual, 34.16).</summary>
public static class PasswordFile
{
    /// <summary>The first password whose line matches, or null. <paramref name="path"/> null: PGPASSFILE, or ~/.pgpass.</summary>
    public static string? Find(string? path, string host, int port, string database, string user)
    {
        path ??= Environment.GetEnvironmentVariable("PGPASSFILE")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".pgpass");
        if (!File.Exists(path)) return null;
        // The password file names socket connections "localhost".
        string[] wanted = [host.StartsWith('/') ? "localhost" : host, port.ToString(CultureInfo.InvariantCulture), database, user];
        foreach (var line in File.ReadLines(path))
        {
            if (line.StartsWith('#')) continue;
            var fields = Split(line);
            if (fields.Count != 5) continue;
            var matches = true;
            for (var i = 0; i < wanted.Length; i++) matches &= fields[i] == "*" || fields[i] == wanted[i];
            if (matches) return fields[4];
        }

        return null;
    }

    // A backslash takes the next character as it is.
    private static List<string> Split(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\' && i + 1 < line.Length) field.Append(line[++i]);
            else if (line[i] == ':' && fields.Count < 4)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else field.Append(line[i]);
        }

        fields.Add(field.ToString());
        return fields;
    }
}
