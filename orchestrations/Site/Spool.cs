using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>Finds the folder in which one <c>wal push</c> or <c>wal fetch</c> leaves notes for the next.</summary>
public static class Spool
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The configured folder, else one in the user's state folder, else one of the user's own in the folder for temporary
    /// files.</summary>
    public static string Find(BackupConfiguration configuration)
    {
        if (configuration.Postgres?.SpoolDirectory is { } configured) return configured;
        foreach (var folder in Candidates())
        {
            try
            {
                Directory.CreateDirectory(folder, OwnerOnly);
                // Only the owner may do this: a folder that somebody else put here could hold forged WAL.
                File.SetUnixFileMode(folder, OwnerOnly);
                return folder;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }
        }

        throw new ConfigurationException(
            "There is no folder for notes between runs; set components.postgres.spool_directory to one that this user can write.");
    }

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state) yield return Path.Combine(state, "fbackup");
        if (Environment.GetEnvironmentVariable("HOME") is { Length: > 1 } home) yield return Path.Combine(home, ".local/state/fbackup");
        yield return Path.Combine(Path.GetTempPath(), $"fbackup-{Environment.UserName}");
    }
}
