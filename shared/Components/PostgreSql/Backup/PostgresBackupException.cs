namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>A base backup cannot be taken. The message is one sentence on what is wrong, with the mend, and holds no secret.</summary>
public sealed class PostgresBackupException(string message, Exception? inner = null) : Exception(message, inner);
