using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>Other bytes are archived under the same name.</summary>
public sealed class WalConflictException(string message) : RepositoryException(message);

/// <summary>Bytes are not the WAL that they should be.</summary>
public sealed class WalFormatException(string message) : RepositoryException(message);

/// <summary>A recovery target cannot be reached. The message says from where to where recovery is possible.</summary>
public sealed class UnreachableTargetException(string message, RecoveryWindow? window) : RepositoryException(message)
{
    public RecoveryWindow? Window { get; } = window;
}
