using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>A program that backs up a PostgreSQL cluster and archives its WAL, encrypted and compressed (zstd 3), into a repository on disk.</summary>
public interface IDatabaseContender
{
    string Name { get; }

    string Repository { get; }

    /// <summary>The server's <c>archive_command</c>.</summary>
    string ArchiveCommand { get; }

    Task<string> VersionAsync(CancellationToken cancellationToken);

    /// <summary>Makes an empty repository for the running server, and forgets everything about an earlier one.</summary>
    Task InitializeAsync(CancellationToken cancellationToken);

    Command Backup(bool full);

    /// <summary>Restores the newest backup with settings that make the server recover to the end of the archived WAL.</summary>
    Command Restore(string target);

    Command Verify();
}
