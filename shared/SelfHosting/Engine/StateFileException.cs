using Microsoft.Data.Sqlite;

namespace FunctionsBackup.SelfHosting.Engine;

/// <summary>The state file cannot be used; the message is one sentence with the mend.</summary>
public sealed class StateFileException : IOException
{
    public StateFileException()
    {
    }

    public StateFileException(string message)
        : base(message)
    {
    }

    public StateFileException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    // Result codes of SQLite, https://www.sqlite.org/rescode.html
    internal static StateFileException From(SqliteException exception, string path) => new(
        exception.SqliteErrorCode switch
        {
            11 or 26 => $"The state file {path} is damaged or is no state file ({exception.Message}); restore a copy of it, or move it " +
                "away with its -wal and -shm to begin with an empty one: backups are not in it, only the orchestrations.",
            13 => $"The disk of the state file {path} is full; free some space and start again: all that was acknowledged is kept.",
            8 or 14 or 23 => $"The state file {path} cannot be written ({exception.Message}); give this user the right to its folder, or " +
                "choose another folder.",
            10 => $"The disk of the state file {path} fails to read or write ({exception.Message}); check it and start again.",
            5 or 6 => $"The state file {path} was kept locked by another process for too long; end that process and start again.",
            _ => $"The state file {path} could not be used: {exception.Message}.",
        },
        exception);
}
