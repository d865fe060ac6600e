using System.Globalization;
using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>A control file as it was read: its facts, what the system says of the file, and its bytes.</summary>
internal sealed record ControlFileCopy(ControlFile Control, FileStatus Status, byte[] Bytes);

/// <summary>Reads <c>global/pg_control</c> beside a running server, and proves by it that the directory is that server's.</summary>
internal sealed class ControlFileReader(string dataDirectory, TimeProvider time)
{
    private const int Attempts = 50;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>The server rewrites the file in place, so a copy with a wrong checksum is read again.</summary>
    /// <exception cref="PostgresBackupException">There is none, or it is damaged.</exception>
    public async ValueTask<ControlFileCopy> ReadAsync(CancellationToken cancellationToken)
    {
        var path = ByteName.Parse(Path.Combine(dataDirectory, "global", "pg_control"));
        for (var attempt = 1; ; attempt++)
        {
            var error = PathCalls.Open(path, OpenFlags.ReadOnly, out var opened);
            if (error == PosixError.NoEntry)
                throw new PostgresBackupException($"{dataDirectory} is not a PostgreSQL data directory; data_directory must name the server's own.");
            PosixException.Check(error, "open", path);
            using var file = opened!;
            PosixException.Check(FileCalls.Status(file, out var status), "examine", path);
            var bytes = new byte[ControlFile.FileSize];
            PosixException.Check(FileCalls.Read(file, bytes, 0, out var read), "read", path);
            if (ControlFile.Read(bytes.AsSpan(0, read)) is { } control) return new ControlFileCopy(control, status, bytes[..read]);
            if (attempt == Attempts)
                throw new PostgresBackupException($"{ByteName.Display(path)} is damaged: its checksum is wrong each time it is read.");
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <exception cref="PostgresBackupException">The directory is another cluster's.</exception>
    public void CheckCluster(ControlFileCopy copy, ClusterFacts facts)
    {
        if (facts.SystemIdentifier != copy.Control.SystemIdentifier.ToString(CultureInfo.InvariantCulture)) throw WrongDirectory();
    }

    /// <summary>The checkpoint that a backup began with is in the control file of the server's own directory, and in no copy of it.</summary>
    /// <exception cref="PostgresBackupException">It is not in this one.</exception>
    public void CheckServer(ControlFileCopy copy, Lsn start)
    {
        if (copy.Control.CheckpointRedo < start) throw WrongDirectory();
    }

    private PostgresBackupException WrongDirectory() =>
        new($"{dataDirectory} is not the data directory of the server that the connection leads to; correct data_directory or connection.");
}
