using Microsoft.Data.Sqlite;

namespace FunctionsBackup.SelfHosting.Hosting.Timers;

/// <summary>
/// Remembers what timers have run, in a small SQLite file that several hosts may share. An occurrence is claimed before it is run and
/// noted as done after it: of two hosts one runs it, and one whose host died meanwhile is run again when its claim has run out.
/// </summary>
internal sealed class TimerStore : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Lock _gate = new();

    /// <param name="path">The file; made when missing, for its owner alone.</param>
    /// <exception cref="HostingException">It cannot be opened.</exception>
    public TimerStore(string path)
    {
        _connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 30 }.ToString());
        try
        {
            if (!File.Exists(path))
            {
                var options = new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                };
                new FileStream(path, options).Dispose();
            }

            _connection.Open();
            Execute("PRAGMA journal_mode=WAL");
            Execute("PRAGMA synchronous=FULL");
            Execute("""
                CREATE TABLE IF NOT EXISTS timers(
                    name TEXT PRIMARY KEY, schedule TEXT NOT NULL, last INTEGER NOT NULL, updated INTEGER NOT NULL,
                    owner TEXT, lease_until INTEGER NOT NULL DEFAULT 0) STRICT
                """);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            _connection.Dispose();
            throw new HostingException($"The timers' state {path} cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Where a timer stands; one that is new, or has another schedule than before, begins now.</summary>
    public TimerState Load(string name, string schedule, DateTimeOffset now)
    {
        lock (_gate)
        {
            Execute("""
                INSERT INTO timers(name, schedule, last, updated) VALUES ($name, $schedule, $now, $now)
                ON CONFLICT(name) DO UPDATE SET schedule = $schedule, last = $now, updated = $now WHERE schedule <> $schedule
                """, ("$name", name), ("$schedule", schedule), ("$now", now.UtcTicks));
            using var command = Command("SELECT last, updated FROM timers WHERE name = $name", ("$name", name));
            using var reader = command.ExecuteReader();
            reader.Read();
            return new TimerState(Of(reader.GetInt64(0)), Of(reader.GetInt64(1)));
        }
    }

    /// <summary>The clock went back: the timer goes on from here.</summary>
    public void Reset(string name, DateTimeOffset now) => Execute(
        "UPDATE timers SET last = $now, updated = $now WHERE name = $name AND last > $now", ("$name", name), ("$now", now.UtcTicks));

    /// <summary>What was missed does not count.</summary>
    public void Forget(string name, DateTimeOffset now) => Execute(
        "UPDATE timers SET last = $now, updated = $now WHERE name = $name AND last < $now", ("$name", name), ("$now", now.UtcTicks));

    /// <summary>True for one of those who ask for the same occurrence, until it gives it back or lets the claim run out.</summary>
    /// <param name="name">Of the timer.</param>
    /// <param name="last">What <see cref="Load"/> said.</param>
    /// <param name="owner">Who asks.</param>
    /// <param name="now">By the clock.</param>
    /// <param name="lease">How long the claim is good.</param>
    public bool TryClaim(string name, DateTimeOffset last, string owner, DateTimeOffset now, TimeSpan lease) =>
        // A claim that is good for much longer than any can be is of a clock that has gone back since.
        Execute("""
            UPDATE timers SET owner = $owner, lease_until = $until
            WHERE name = $name AND last = $last AND (owner IS NULL OR owner = $owner OR lease_until <= $now OR lease_until > $never)
            """, ("$name", name), ("$last", last.UtcTicks), ("$owner", owner), ("$now", now.UtcTicks),
            ("$until", (now + lease).UtcTicks), ("$never", (now + (3 * lease)).UtcTicks)) == 1;

    /// <summary>False: somebody else has it now.</summary>
    public bool Renew(string name, string owner, DateTimeOffset until) => Execute(
        "UPDATE timers SET lease_until = $until WHERE name = $name AND owner = $owner",
        ("$name", name), ("$owner", owner), ("$until", until.UtcTicks)) == 1;

    /// <summary>The occurrence has been run.</summary>
    public void Complete(string name, string owner, DateTimeOffset occurrence, DateTimeOffset now) => Execute(
        "UPDATE timers SET last = max(last, $last), updated = $now, owner = NULL, lease_until = 0 WHERE name = $name AND owner = $owner",
        ("$name", name), ("$owner", owner), ("$last", occurrence.UtcTicks), ("$now", now.UtcTicks));

    /// <summary>It has not been run; whoever asks next may.</summary>
    public void Release(string name, string owner) => Execute(
        "UPDATE timers SET owner = NULL, lease_until = 0 WHERE name = $name AND owner = $owner", ("$name", name), ("$owner", owner));

    public void Dispose() => _connection.Dispose();

    private static DateTimeOffset Of(long ticks) => new(ticks, TimeSpan.Zero);

    private int Execute(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        lock (_gate)
        {
            using var command = Command(sql, parameters);
            return command.ExecuteNonQuery();
        }
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }
}
