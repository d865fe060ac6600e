using System.Globalization;
using FunctionsBackup.Benchmarks.Compare.Processes;
using Npgsql;

namespace FunctionsBackup.Benchmarks.Compare;

/// <summary>A PostgreSQL cluster of the comparison: with page checksums, autovacuum off so that nothing but the work itself changes pages.</summary>
public sealed class Cluster(string programs, string work, string name, int port) : IAsyncDisposable
{
    private bool _running;

    public string Data => Path.Combine(work, name);

    public string Sockets => work;

    public int Port => port;

    public string ConnectionString => $"Host={Sockets};Port={port};Username=postgres;Database=postgres;Pooling=false";

    public NpgsqlDataSource Connect() => NpgsqlDataSource.Create(ConnectionString + ";Command Timeout=0");

    /// <summary>A directory that the server's user owns and nobody else can read, as initdb makes it.</summary>
    public static void MakeDirectory(string path)
    {
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        GiveToPostgres(path);
    }

    public static void GiveToPostgres(string path)
    {
        if (!Command.IsRoot) return;
        using var chown = System.Diagnostics.Process.Start("chown", ["postgres:", path]);
        chown.WaitForExit();
    }

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        MakeDirectory(Data);
        await Run("initdb", "-D", Data, "-k", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C").RunAsync(cancellationToken);
        await File.AppendAllTextAsync(Path.Combine(Data, "postgresql.conf"),
            string.Create(CultureInfo.InvariantCulture, $"""

            listen_addresses = ''
            unix_socket_directories = '{Sockets}'
            shared_buffers = 256MB
            max_wal_size = 4GB
            checkpoint_timeout = 1h
            autovacuum = off
            archive_mode = on
            archive_command = '/bin/true'
            summarize_wal = on

            """).Replace("summarize_wal = on\n", programs.Contains("/17/") ? "summarize_wal = on\n" : ""), cancellationToken);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // The server keeps its standard output open for ever: it must not be this process's pipe.
        await Run("pg_ctl", "-D", Data, "-o", $"-p {port}", "-l", Data + ".log", "-w", "-t", "300", "start").Quietly().RunAsync(cancellationToken);
        _running = true;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_running) return;
        await Run("pg_ctl", "-D", Data, "-m", "fast", "-w", "-t", "300", "stop").RunAsync(cancellationToken);
        _running = false;
    }

    /// <summary>Waits until recovery has ended and the server takes writes.</summary>
    public async Task WaitUntilPromotedAsync(CancellationToken cancellationToken)
    {
        await using var database = Connect();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            await using var command = database.CreateCommand("select pg_is_in_recovery()");
            if (await command.ExecuteScalarAsync(cancellationToken) is false) return;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Waits until the archiver has nothing left to do.</summary>
    public async Task WaitUntilArchivedAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (Directory.EnumerateFiles(Path.Combine(Data, "pg_wal/archive_status"), "*.ready").Any()) await timer.WaitForNextTickAsync(cancellationToken);
    }

    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var database = Connect();
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Checks heaps and indexes of the whole cluster.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken) =>
        await Run("pg_amcheck", "-h", Sockets, "-p", port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "--all", "--install-missing", "-j", "2")
            .RunAsync(cancellationToken);

    /// <summary>A stopped copy, byte for byte, under another name and port.</summary>
    public async Task<Cluster> CopyAsync(string copy, int copyPort, CancellationToken cancellationToken)
    {
        var other = new Cluster(programs, work, copy, copyPort);
        await new Command("cp", "-a", Data, other.Data).RunAsync(cancellationToken);
        return other;
    }

    public async ValueTask DisposeAsync()
    {
        if (_running) await Run("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop").RunAsync(CancellationToken.None);
        _running = false;
    }

    private ServerCommand Run(string program, params IReadOnlyList<string> arguments) => new(Path.Combine(programs, program), arguments);

    private sealed record ServerCommand(string Program, IReadOnlyList<string> Arguments)
    {
        public Command Quietly() => new("sh", ["-c", "exec \"$0\" \"$@\" >/dev/null 2>&1", Program, .. Arguments]) { AsPostgres = true };

        public Task<string> RunAsync(CancellationToken cancellationToken) =>
            new Command(Program, Arguments) { AsPostgres = true }.RunAsync(cancellationToken);
    }
}
