namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>Something wrong with the WAL behind a base backup.</summary>
/// <param name="ObjectName">The object concerned, if it is one.</param>
/// <param name="At">The LSN up to which recovery gets.</param>
/// <param name="Message">One sentence on what is wrong.</param>
/// <param name="BreaksBackup">The backup cannot be made consistent; otherwise only later targets are out of reach.</param>
public sealed record WalProblem(string? ObjectName, Lsn At, string Message, bool BreaksBackup);

/// <summary>What <see cref="WalArchive.VerifyAsync"/> found.</summary>
/// <param name="Window">What can be reached.</param>
/// <param name="Problems">Empty: all the WAL from the backup's start to the end of the archive is there and whole.</param>
public sealed record WalVerification(RecoveryWindow Window, IReadOnlyList<WalProblem> Problems)
{
    public bool IsSound => Problems.Count == 0;
}
