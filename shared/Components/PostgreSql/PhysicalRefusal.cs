using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Protocol;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql;

/// <summary>Tells whether a server refuses physical backups on principle, as managed ones do, so that only SQL is left.</summary>
public static class PhysicalRefusal
{
    /// <summary>Why, in words; null: the error is another one.</summary>
    public static string? Reason(Exception exception) => exception switch
    {
        // Must be superuser or replication role; no pg_hba.conf entry for replication; wal_level too low for it. Not that all places are taken: that passes.
        PostgresProtocolException { SqlState: "42501" or "28000" or "55000" or "0A000" } p when IsOfReplication(p.Message) => Shown(p.Message),
        PostgresBackupException { InnerException: PostgresException { SqlState: "42501" or "28000" or "55000" or "0A000" } p } when IsOfReplication(p.MessageText) => Shown(p.MessageText),
        _ => null,
    };

    private static bool IsOfReplication(string message) =>
        message.Contains("replication", StringComparison.OrdinalIgnoreCase) || message.Contains("wal sender", StringComparison.OrdinalIgnoreCase)
        || message.Contains("walsender", StringComparison.OrdinalIgnoreCase) || message.Contains("wal_level", StringComparison.OrdinalIgnoreCase)
        || message.Contains("backup", StringComparison.OrdinalIgnoreCase) || message.Contains("permission denied for function", StringComparison.OrdinalIgnoreCase);

    private static string Shown(string message) => $"the server refuses a physical one ({message.Split('\n')[0].TrimEnd('.')})";
}
