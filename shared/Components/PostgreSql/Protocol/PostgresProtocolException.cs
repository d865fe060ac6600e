namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>
/// The server refused, or sent what the protocol does not allow. The message is one sentence and holds no secret: it is made of the
/// server's own words or of ours, never of the connection string.
/// </summary>
public sealed class PostgresProtocolException : Exception
{
    /// <summary>SQLSTATE of what breaks the protocol's own rules (PostgreSQL manual, appendix A).</summary>
    public const string ProtocolViolation = "08P01";

    /// <summary>SQLSTATE of a connection that cannot be made or was lost.</summary>
    public const string ConnectionFailure = "08006";

    public PostgresProtocolException(string severity, string sqlState, string message, Exception? inner = null) : base(message, inner) =>
        (Severity, SqlState) = (severity, sqlState);

    /// <summary><c>ERROR</c>, <c>FATAL</c> or <c>PANIC</c>, never translated.</summary>
    public string Severity { get; }

    /// <summary>Five characters: <c>28P01</c> is a wrong password.</summary>
    public string SqlState { get; }

    /// <summary>Whether the server or the way to it broke down; false: it refused, and will again.</summary>
    public bool IsTransient => Backup.PostgresBackupException.IsPassing(SqlState);

    internal static PostgresProtocolException Violation(string message) => new("FATAL", ProtocolViolation, message);

    internal static PostgresProtocolException Lost(string message, Exception? inner = null) => new("FATAL", ConnectionFailure, message, inner);
}
