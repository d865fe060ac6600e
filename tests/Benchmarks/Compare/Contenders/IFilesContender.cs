using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>A program that backs up a directory tree into an encrypted, deduplicated, compressed (zstd 3) repository on disk.</summary>
public interface IFilesContender
{
    string Name { get; }

    /// <summary>Where its repository is: its bytes are what is stored.</summary>
    string Repository { get; }

    Task<string> VersionAsync(CancellationToken cancellationToken);

    /// <summary>Makes an empty repository, and forgets everything about an earlier one.</summary>
    Task InitializeAsync(CancellationToken cancellationToken);

    Command Backup();

    /// <summary>Restores the newest backup; what was <c>tree/x</c> must become <c>target/x</c>, durable at the end.</summary>
    Command Restore(string target);

    /// <summary>Reads all data and checks it cryptographically.</summary>
    Command Verify();
}
