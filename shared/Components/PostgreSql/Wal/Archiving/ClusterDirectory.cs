using System.Buffers.Binary;
using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Wal.Archiving;

/// <summary>What archive_command and restore_command need to know of the data directory in which the server starts them.</summary>
public static class ClusterDirectory
{
    /// <summary>
    /// The cluster's system identifier, decimal: the first 8 bytes of <c>global/pg_control</c> (pg_control.h, ControlFileData).
    /// </summary>
    /// <exception cref="WalFormatException">There is no such file, or it is of no supported version.</exception>
    public static string ReadSystemIdentifier(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, "global", "pg_control");
        Span<byte> head = stackalloc byte[12];
        try
        {
            using var file = File.OpenHandle(path);
            if (RandomAccess.Read(file, head, 0) != head.Length)
                throw new WalFormatException($"{path} is cut; is that PostgreSQL's data directory?");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WalFormatException($"{path} does not exist; name PostgreSQL's data directory, or start this in it.");
        }
        catch (UnauthorizedAccessException)
        {
            throw new WalFormatException($"{path} may not be read; run this as the user who runs PostgreSQL.");
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        if (version is < 1201 or > 1999) throw new WalFormatException($"{path} is of an unknown version ({version}).");
        return BinaryPrimitives.ReadUInt64LittleEndian(head).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// The data directory: the one named, else the working directory if it is one, else the one in which the file's pg_wal is.
    /// </summary>
    public static string Find(string? dataDirectory, string path)
    {
        if (dataDirectory is not null) return Path.GetFullPath(dataDirectory);
        var here = Directory.GetCurrentDirectory();
        if (File.Exists(Path.Combine(here, "global", "pg_control"))) return here;
        return Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(path))) ?? here;
    }
}
