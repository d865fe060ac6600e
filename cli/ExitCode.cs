namespace FunctionsBackup.Cli;

/// <summary>What the exit codes of <c>fbackup</c> mean; scripts rely on them.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;

    /// <summary>The command line or the configuration is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Done, with warnings; for <c>status</c>: something is not as it should be.</summary>
    public const int Warnings = 3;

    /// <summary>No such repository, recovery point or WAL segment.</summary>
    public const int NotFound = 4;

    /// <summary>The repository is damaged.</summary>
    public const int Damage = 5;

    /// <summary>Waiting for, or refused by, an approval.</summary>
    public const int Approval = 6;

    public const int Interrupted = 130;
}
