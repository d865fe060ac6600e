using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Takes physical base backups of a PostgreSQL 13–17 cluster.</summary>
public sealed class PostgresBackup(BackupRepository repository, TimeProvider time)
{
    public BackupRepository Repository { get; } = repository;

    public TimeProvider Time { get; } = time;

    /// <summary>
    /// Takes one recovery point that restores by itself: the WAL from its start to its stop is in the <see cref="Wal.WalArchive"/> before
    /// the commit, whether or not the server archives. What changed since the newest backup of the same cluster is all that is stored, and
    /// where that is safe also all that is read.
    /// </summary>
    /// <exception cref="PostgresBackupException">The server or its files do not allow a backup; nothing is committed.</exception>
    /// <exception cref="Protocol.PostgresProtocolException">The server refused a command of the replication protocol.</exception>
    public ValueTask<Snapshot> RunAsync(PostgresBackupOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Parallelism);
        return IsDirect(options)
            ? new DirectBackup(Repository, Time, options).RunAsync(progress, cancellationToken)
            : new ReplicationBackup(Repository, Time, options).RunAsync(progress, cancellationToken);
    }

    private static bool IsDirect(PostgresBackupOptions options)
    {
        switch (options.Mode)
        {
            case PostgresBackupMode.Replication:
                return false;
            case PostgresBackupMode.Direct when options.DataDirectory is null:
                throw new PostgresBackupException("A direct backup needs data_directory; set it, or use mode replication.");
            case PostgresBackupMode.Direct:
                return true;
            default:
                return options.DataDirectory is { } directory && IsReadable(directory);
        }
    }

    private static bool IsReadable(string directory)
    {
        try
        {
            using var control = File.OpenHandle(Path.Combine(directory, "global", "pg_control"));
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
