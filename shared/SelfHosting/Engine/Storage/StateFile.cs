using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>The SQLite file that holds everything: makes it, checks it, and opens connections to it.</summary>
internal sealed class StateFile
{
    private const UnixFileMode OwnerFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private StateFile(string path) => Path = path;

    public string Path { get; }

    /// <summary>Makes the file if it is missing, and refuses what is not a state file of this version.</summary>
    /// <exception cref="StateFileException">It cannot be used.</exception>
    public static StateFile Prepare(string path)
    {
        var file = new StateFile(System.IO.Path.GetFullPath(path));
        file.MakeFiles();
        try
        {
            using var connection = file.Connect();
            Execute(connection, "PRAGMA auto_vacuum = INCREMENTAL"); // no effect unless the file is empty
            var mode = Scalar(connection, "PRAGMA journal_mode = WAL") as string;
            if (mode != "wal")
                throw new StateFileException($"The file system of {file.Path} allows no write-ahead log; choose a local folder.");
            if (!IsTable(connection, "meta")) file.CreateTables(connection);
            file.CheckVersion(connection);
        }
        catch (SqliteException e)
        {
            throw StateFileException.From(e, file.Path);
        }

        return file;
    }

    /// <summary>A connection with the settings that durability needs.</summary>
    public SqliteConnection Connect()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 30,
        }.ToString());
        try
        {
            connection.Open();
            // SQLite's own waiting is finer than the provider's.
            Execute(connection, "PRAGMA busy_timeout = 30000; PRAGMA synchronous = FULL; PRAGMA cache_size = -8000");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static bool IsTable(SqliteConnection connection, string name) =>
        Scalar(connection, $"SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '{name}'") is > 0L;

    private void MakeFiles()
    {
        try
        {
            var folder = System.IO.Path.GetDirectoryName(Path)!;
            if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, OwnerFolder);
            // A file that is there is not opened here: closing it would drop the locks that SQLite has on it in this process.
            if (!File.Exists(Path))
            {
                // Its -wal and -shm get the same access from SQLite.
                new FileStream(Path, new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, UnixCreateMode = OwnerFile,
                }).Dispose();
            }

            if (File.GetUnixFileMode(Path) != OwnerFile) File.SetUnixFileMode(Path, OwnerFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateFileException(
                $"The state file {Path} cannot be made or written ({e.Message}); give this user the right to, or choose another.",
                e);
        }
    }

    private void CreateTables(SqliteConnection connection)
    {
        Execute(connection, "BEGIN IMMEDIATE");
        if (!IsTable(connection, "meta")) // another process may have been faster
        {
            if (Scalar(connection, "SELECT count(*) FROM sqlite_schema") is > 0L) throw Foreign();
            Execute(connection, StateSchema.Tables);
            Execute(connection, $"INSERT INTO meta VALUES ('product', '{StateSchema.Product}'), ('version', '{StateSchema.Version}')");
        }

        Execute(connection, "COMMIT");
    }

    private void CheckVersion(SqliteConnection connection)
    {
        if (Scalar(connection, "SELECT value FROM meta WHERE name = 'product'") is not StateSchema.Product) throw Foreign();
        var found = Scalar(connection, "SELECT value FROM meta WHERE name = 'version'") as string;
        if (!int.TryParse(found, NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version < 1) throw Foreign();
        if (version > StateSchema.Version)
        {
            throw new StateFileException(
                $"The state file {Path} has format version {version}, this program knows versions up to {StateSchema.Version}; use the " +
                "newer program that wrote it.");
        }
    }

    private StateFileException Foreign() =>
        new($"The file {Path} is a database, but none of orchestrations; name another state file.");
}
