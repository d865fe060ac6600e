using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>A base backup cannot be taken. The message is one sentence on what is wrong, with the mend, and holds no secret.</summary>
public sealed class PostgresBackupException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the server or the way to it broke down, so that the same backup may succeed when it is begun again.</summary>
    public bool IsTransient { get; init; } = inner switch
    {
        PostgresException refusal => IsPassing(refusal.SqlState),
        NpgsqlException or IOException => true,
        _ => false,
    };

    /// <summary>Classes 08 (connection), 53 (resources) and 57 (the server stops, starts or was told to) of SQLSTATE: PostgreSQL manual, appendix A.</summary>
    internal static bool IsPassing(string sqlState) =>
        sqlState.StartsWith("08", StringComparison.Ordinal) && sqlState != "08P01" || sqlState.StartsWith("53", StringComparison.Ordinal)
        || sqlState.StartsWith("57", StringComparison.Ordinal);
}
