using System.Buffers.Binary;
using System.Globalization;
using FunctionsBackup.Components.Files;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>Looks at what is in a target before anything is changed there.</summary>
internal static class TargetDirectory
{
    /// <summary>Refuses a target that is in use, or that holds something else than <paramref name="options"/> allow to replace.</summary>
    /// <returns>True if a data directory is there and will be changed in place.</returns>
    /// <exception cref="RestoreRefusedException">The reason, with the mend.</exception>
    public static bool Check(string directory, PostgresRestoreOptions options, PostgresBackupDetails details)
    {
        if (File.Exists(directory)) throw new RestoreRefusedException($"{directory} is a file; give a directory.");
        if (RestoreLayout.IsEmptyOrMissing(directory)) return false;
        RefuseIfRunning(directory);
        if (!RestoreLayout.MayReuse(options))
            throw new RestoreRefusedException(
                $"{directory} is not empty; give another directory, or change this one in place with --delta (same cluster) or --overwrite (whatever it is).");

        // Everything that the backup does not have will be removed: never do that to somebody's home directory.
        var version = ReadVersion(directory);
        if (version is null && !Directory.Exists(Path.Combine(directory, "global")))
            throw new RestoreRefusedException($"{directory} is not empty and is no PostgreSQL data directory; give another directory, or empty this one yourself.");
        if (options.Overwrite) return true;
        var major = (details.ServerVersion / 10000).ToString(CultureInfo.InvariantCulture);
        if (version is not null && version != major)
            throw new RestoreRefusedException(
                $"{directory} is of PostgreSQL {version} and the backup of {major}; use --overwrite if it shall be replaced all the same.");
        if (ReadSystemIdentifier(directory) is { } identifier && identifier != details.SystemIdentifier)
            throw new RestoreRefusedException(
                $"{directory} belongs to another cluster (system identifier {identifier}, the backup's is {details.SystemIdentifier}); use --overwrite if it shall be replaced all the same.");
        return true;
    }

    private static void RefuseIfRunning(string directory)
    {
        var file = Path.Combine(directory, "postmaster.pid");
        if (!File.Exists(file)) return;
        using var reader = new StreamReader(file);
        if (!int.TryParse(reader.ReadLine(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id) || id == 0) return;

        // A negative number is a single-user server. The number may have gone to another program since a crash: ask what it is.
        id = Math.Abs(id);
        if (id == Environment.ProcessId) return;
        try
        {
            var name = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/comm")).Trim();
            if (!name.StartsWith("postgres", StringComparison.Ordinal) && !name.StartsWith("postmaster", StringComparison.Ordinal)) return;
        }
        catch (IOException)
        {
            return; // no such process
        }

        throw new RestoreRefusedException(
            $"A server runs on {directory} (process {id}); stop it first: pg_ctl stop -D {directory}.");
    }

    private static string? ReadVersion(string directory)
    {
        var file = Path.Combine(directory, "PG_VERSION");
        return File.Exists(file) && new FileInfo(file).Length < 64 ? File.ReadAllText(file).Trim() : null;
    }

    /// <summary>The first field of pg_control (pg_control.h, ControlFileData), in the machine's byte order.</summary>
    private static string? ReadSystemIdentifier(string directory)
    {
        var file = Path.Combine(directory, "global", "pg_control");
        if (!File.Exists(file)) return null;
        Span<byte> bytes = stackalloc byte[8];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) return null;
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes).ToString(CultureInfo.InvariantCulture);
    }
}
