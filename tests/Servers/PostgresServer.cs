using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FunctionsBackup.Components.PostgreSql.Verification;
using Npgsql;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// A real PostgreSQL server in a directory of its own, on 127.0.0.1 and a Unix socket, superuser <c>postgres</c> without a password,
/// replication allowed. Run as user <c>postgres</c> when the tests run as root. Gone, with its directory, when disposed and also when the
/// test process dies.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly ScratchDirectory _scratch;
    private SupervisedProcess? _process;
    private NpgsqlDataSource? _source;

    private PostgresServer(PostgresServerOptions options, string binaries, ScratchDirectory scratch, string dataDirectory)
    {
        Options = options;
        BinaryDirectory = binaries;
        _scratch = scratch;
        DataDirectory = dataDirectory;
        SocketDirectory = Path.Combine(scratch.Path, "socket");
        LogFile = Path.Combine(scratch.Path, "log");
    }

    /// <summary>The user that servers run as.</summary>
    public static ServerUser User { get; } = ServerUser.Named("postgres");

    public PostgresServerOptions Options { get; }

    /// <summary>Where <c>pg_ctl</c> and its like are.</summary>
    public string BinaryDirectory { get; }

    public string DataDirectory { get; }

    /// <summary>A directory for anything that belongs to this server, removed with it; owned by the server's user.</summary>
    public string Scratch => _scratch.Path;

    public string SocketDirectory { get; }

    public string LogFile { get; }

    public int Port { get; private set; }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Npgsql form, over TCP, database postgres.</summary>
    public string ConnectionString =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres;Timeout=10;Command Timeout=120");

    /// <summary>URI form, over TCP, database postgres.</summary>
    public string Uri => string.Create(CultureInfo.InvariantCulture, $"postgresql://postgres@127.0.0.1:{Port}/postgres");

    /// <summary>A pool of connections to database postgres.</summary>
    public NpgsqlDataSource Source => _source ??= NpgsqlDataSource.Create(ConnectionString);

    /// <summary>Makes a cluster and starts it.</summary>
    public static async Task<PostgresServer> StartAsync(PostgresServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new PostgresServerOptions();
        var server = await PrepareAsync(options, null, cancellationToken).ConfigureAwait(false);
        try
        {
            await server.InitializeAsync(cancellationToken).ConfigureAwait(false);
            await server.StartAgainAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// A server for a data directory that exists already, such as a restored one; not started. The directory stays when this is disposed.
    /// </summary>
    public static Task<PostgresServer> AttachAsync(
        string dataDirectory, PostgresServerOptions? options = null, CancellationToken cancellationToken = default) =>
        PrepareAsync(options ?? new PostgresServerOptions(), dataDirectory, cancellationToken);

    /// <summary>
    /// Starts the server and waits until it lets sessions in (on a standby or during recovery: read-only ones).
    /// </summary>
    /// <param name="settings">Settings for this start alone, on the command line.</param>
    /// <param name="waitForPromotion">Wait until recovery has ended, too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">It did not start; the message has the end of its log.</exception>
    public async Task StartAgainAsync(
        IReadOnlyDictionary<string, string>? settings = null, bool waitForPromotion = false, CancellationToken cancellationToken = default)
    {
        if (IsRunning) throw new InvalidOperationException("The server runs already.");
        for (var attempt = 1; ; attempt++)
        {
            await CleanUpProcessAsync().ConfigureAwait(false);
            Port = FreePort();
            List<string> arguments = ["-D", DataDirectory, "-p", Port.ToString(CultureInfo.InvariantCulture), "-k", SocketDirectory];
            arguments.AddRange(["-c", "listen_addresses=127.0.0.1", "-c", "logging_collector=off"]);
            foreach (var (name, value) in settings ?? new Dictionary<string, string>()) arguments.AddRange(["-c", $"{name}={value}"]);
            var logBegin = File.Exists(LogFile) ? new FileInfo(LogFile).Length : 0;
            _process = await SupervisedProcess.StartAsync(
                User, Path.Combine(BinaryDirectory, "postgres"), arguments, LogFile, cancellationToken).ConfigureAwait(false);
            if (await IsReadyAsync(waitForPromotion, cancellationToken).ConfigureAwait(false)) return;

            var log = ReadLog(logBegin);
            await CleanUpProcessAsync().ConfigureAwait(false);
            // Somebody else took the port between our choosing it and the server's binding it.
            if (attempt < 5 && log.Contains("Address already in use", StringComparison.Ordinal)) continue;
            throw new InvalidOperationException($"PostgreSQL did not start on {DataDirectory}:\n{Tail(log)}");
        }
    }

    /// <summary>Stops the server and waits until it has gone. Nothing happens if it does not run.</summary>
    public async Task StopAsync(PostgresStop how = PostgresStop.Fast, CancellationToken cancellationToken = default)
    {
        if (_process is null) return;
        if (!_process.HasExited)
        {
            if (how == PostgresStop.Kill) Kill(_process.ServerId);
            else await ToolAsync("pg_ctl", cancellationToken, "stop", "-D", DataDirectory, "-m", how == PostgresStop.Fast ? "fast" : "immediate")
                .ConfigureAwait(false);
            await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }

        await CleanUpProcessAsync().ConfigureAwait(false);
    }

    public async Task RestartAsync(PostgresStop how = PostgresStop.Fast, CancellationToken cancellationToken = default)
    {
        await StopAsync(how, cancellationToken).ConfigureAwait(false);
        await StartAgainAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until the server ends by itself (recovery_target_action=shutdown, or a failure), and gives its exit code.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken = default)
    {
        var process = _process ?? throw new InvalidOperationException("The server was not started.");
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return process.ExitCode;
    }

    /// <summary>Appends settings to postgresql.conf; they act at the next start or <see cref="ReloadAsync"/>.</summary>
    public Task ConfigureAsync(IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken = default) =>
        File.AppendAllTextAsync(Path.Combine(DataDirectory, "postgresql.conf"), Format(settings), cancellationToken);

    public Task ReloadAsync(CancellationToken cancellationToken = default) => ExecuteAsync("select pg_reload_conf()", cancellationToken);

    /// <summary>Runs statements, autocommitted one by one unless they say otherwise.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken = default)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The first column of the first row.</summary>
    public async Task<T> ScalarAsync<T>(string sql, CancellationToken cancellationToken = default)
    {
        await using var command = Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) throw new InvalidOperationException($"No row: {sql}");
        return await reader.GetFieldValueAsync<T>(0, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All rows, each value as text, <c>|</c> between, as <c>psql -At</c> prints them.</summary>
    public async Task<IReadOnlyList<string>> QueryAsync(string sql, CancellationToken cancellationToken = default)
    {
        await using var command = Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var rows = new List<string>();
        var values = new object[reader.FieldCount];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            reader.GetValues(values);
            rows.Add(string.Join('|', values.Select(static value => Convert.ToString(value, CultureInfo.InvariantCulture))));
        }

        return rows;
    }

    /// <summary>An empty directory of the server's user inside <see cref="Scratch"/>, such as for a tablespace.</summary>
    public async Task<string> NewDirectoryAsync(string name, CancellationToken cancellationToken = default)
    {
        var path = Path.Combine(Scratch, name);
        await RunAsync("mkdir", cancellationToken, "-p", "-m", "700", path).ConfigureAwait(false);
        return path;
    }

    /// <summary>Runs a program of this server's version, such as <c>pg_waldump</c>, as the server's user.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has what it printed.</exception>
    public Task<string> ToolAsync(string tool, CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync(Path.Combine(BinaryDirectory, tool), cancellationToken, arguments);

    /// <summary>What the server wrote to its log since its first start.</summary>
    public string ReadLog() => ReadLog(0);

    public async ValueTask DisposeAsync()
    {
        await CleanUpProcessAsync().ConfigureAwait(false);
        await _scratch.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<PostgresServer> PrepareAsync(PostgresServerOptions options, string? dataDirectory, CancellationToken cancellationToken)
    {
        var binaries = PostgresBinaries.Find(
            options.Version, Path.Combine(TestCache.Directory, $"trixie/usr/lib/postgresql/{options.Version}/bin"));
        if (binaries is null)
            throw new InvalidOperationException($"PostgreSQL {options.Version} is not installed; run scripts/install-test-servers.sh.");
        var scratch = await ScratchDirectory.CreateAsync(User, options.Parent, "fbpg", cancellationToken).ConfigureAwait(false);
        var server = new PostgresServer(options, binaries, scratch, dataDirectory ?? Path.Combine(scratch.Path, "data"));
        await server.NewDirectoryAsync("socket", cancellationToken).ConfigureAwait(false);
        return server;
    }

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        List<string> arguments =
        [
            "-D", DataDirectory, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            string.Create(CultureInfo.InvariantCulture, $"--wal-segsize={Options.WalSegmentMegabytes}"),
        ];
        if (Options.Checksums) arguments.Add("-k");
        if (Options.GroupAccess) arguments.Add("-g");
        await ToolAsync("initdb", cancellationToken, [.. arguments]).ConfigureAwait(false);

        var settings = new Dictionary<string, string>
        {
            ["wal_level"] = "replica",
            ["max_wal_senders"] = "10",
            ["max_replication_slots"] = "10",
            ["max_connections"] = "50",
            ["shared_buffers"] = "32MB",
            ["max_wal_size"] = "256MB",
            ["min_wal_size"] = string.Create(CultureInfo.InvariantCulture, $"{Options.WalSegmentMegabytes * 5}MB"),
            ["log_line_prefix"] = "%m [%p] ",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
        };
        if (!Options.Durable)
        {
            settings["fsync"] = "off";
            settings["full_page_writes"] = "on"; // base backups need whole pages, whatever the disk does
        }

        foreach (var (name, value) in Options.Settings) settings[name] = value;
        await ConfigureAsync(settings, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> IsReadyAsync(bool waitForPromotion, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        var connection = new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false, Timeout = 5 }.ConnectionString;
        while (!_process!.HasExited)
        {
            try
            {
                await using var session = new NpgsqlConnection(connection);
                await session.OpenAsync(limit.Token).ConfigureAwait(false);
                await using var command = new NpgsqlCommand("select pg_is_in_recovery()", session);
                if (!waitForPromotion || !(bool)(await command.ExecuteScalarAsync(limit.Token).ConfigureAwait(false))!) return true;
            }
            catch (NpgsqlException)
            {
                // Not yet: no listener, or "the database system is starting up".
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false;
            }

            try
            {
                await Task.Delay(20, limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }

        return false;
    }

    private async Task<string> RunAsync(string program, CancellationToken cancellationToken, params string[] arguments)
    {
        var result = await ProgramRun.RunAsync(User.Command(program, arguments), cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"{Path.GetFileName(program)} {string.Join(' ', arguments)} failed: {result.Text}");
    }

    private async Task CleanUpProcessAsync()
    {
        if (_source is not null) await _source.DisposeAsync().ConfigureAwait(false);
        _source = null;
        if (_process is not null) await _process.DisposeAsync().ConfigureAwait(false);
        _process = null;
    }

    private string ReadLog(long begin)
    {
        if (!File.Exists(LogFile)) return "";
        using var stream = new FileStream(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(begin, SeekOrigin.Begin);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private static string Tail(string text) => text.Length > 8000 ? "…" + text[^8000..] : text;

    private static string Format(IReadOnlyDictionary<string, string> settings) =>
        string.Concat(settings.Select(static setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'\n"));

    /// <summary>The postmaster and its children, which would otherwise notice only a moment later.</summary>
    private static void Kill(int serverId)
    {
        using var process = System.Diagnostics.Process.GetProcessById(serverId);
        process.Kill(entireProcessTree: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
