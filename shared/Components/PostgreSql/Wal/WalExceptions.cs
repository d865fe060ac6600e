using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>Other bytes are archived under the same name.</summary>
public sealed class WalConflictException(string message) : RepositoryException(message);

/// <summary>Something is archived under the same name, and this host, which only writes, cannot read whether it is the same.</summary>
public sealed class WalUnreadableException(string what)
    : RepositoryException(
        $"WAL {what} is archived already, and this host, which holds a writer file only, cannot see whether with the same content. Compare it on a "
        + "host that has the keys ('fbackup wal fetch'); if it is the same, an empty file in the spool, as docs/writers.md says, lets the server go on.");

/// <summary>Bytes are not the WAL that they should be.</summary>
public sealed class WalFormatException(string message) : RepositoryException(message);

/// <summary>A recovery target cannot be reached. The message says from where to where recovery is possible.</summary>
public sealed class UnreachableTargetException(string message, RecoveryWindow? window) : RepositoryException(message)
{
    public RecoveryWindow? Window { get; } = window;
}
