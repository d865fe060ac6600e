namespace FunctionsBackup.Components.PostgreSql.Wal.Archiving;

/// <summary>
/// Opens the repository and the archive of a cluster in it. Called only when it is needed: opening derives a key on purpose slowly.
/// </summary>
public delegate ValueTask<WalArchive> WalArchiveOpener(string systemIdentifier, CancellationToken cancellationToken);
