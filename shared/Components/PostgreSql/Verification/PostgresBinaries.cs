using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>Finds the server programs of a PostgreSQL major version on this machine.</summary>
public static class PostgresBinaries
{
    /// <summary>Directories, separated by <c>:</c>, that are looked at first.</summary>
    public const string Variable = "FBACKUP_PG_BIN";

    /// <summary>The <c>bin</c> directory with <c>postgres</c> of exactly this major version, or null.</summary>
    /// <param name="major">13 to 17.</param>
    /// <param name="directories">Looked at first; then those of <see cref="Variable"/>, the distributions' usual places, and PATH.</param>
    public static string? Find(int major, params IEnumerable<string> directories)
    {
        var version = major.ToString(CultureInfo.InvariantCulture);
        string[] usual =
        [
            $"/usr/lib/postgresql/{version}/bin", $"/usr/pgsql-{version}/bin", $"/usr/local/pgsql-{version}/bin",
            $"/opt/homebrew/opt/postgresql@{version}/bin", "/usr/local/pgsql/bin", "/usr/local/bin",
        ];
        return directories.Concat(Split(Environment.GetEnvironmentVariable(Variable))).Concat(usual)
            .Concat(Split(Environment.GetEnvironmentVariable("PATH")))
            .FirstOrDefault(directory => directory.Length > 0 && IsOfVersion(directory, major));

        static string[] Split(string? list) => list?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? [];
    }

    private static bool IsOfVersion(string directory, int major)
    {
        var server = Path.Combine(directory, "postgres");
        if (!File.Exists(server)) return false;
        using var process = System.Diagnostics.Process.Start(VersionQuery(server));
        var line = process!.StandardOutput.ReadLine() ?? "";
        process.WaitForExit();

        // "postgres (PostgreSQL) 15.18 (Debian …)", "postgres (PostgreSQL) 17rc1"
        var text = line.AsSpan(line.IndexOf(')') + 1).TrimStart();
        var digits = text.IndexOfAnyExceptInRange('0', '9');
        if (digits >= 0) text = text[..digits];
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var found) && found == major;
    }

    private static System.Diagnostics.ProcessStartInfo VersionQuery(string server)
    {
        var start = ServerUser.Current.Command(server, "--version");
        start.RedirectStandardOutput = true;
        return start;
    }
}
