using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Components.Redis.Protocol;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// A real Redis server in a directory of its own on 127.0.0.1, gone when disposed and when the test process dies. Version 7 is Debian's own, 8 is
/// trixie's.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly string _program;
    private readonly IReadOnlyList<string> _settings;
    private readonly bool _ownsFolder;
    private SupervisedProcess? _process;

    private RedisServer(string program, string folder, bool ownsFolder, IReadOnlyList<string> settings) =>
        (_program, Folder, _ownsFolder, _settings) = (program, folder, ownsFolder, settings);

    public string Folder { get; }

    public int Port { get; private set; }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"redis://127.0.0.1:{Port}");

    public RedisAddress Address => RedisAddress.Parse(Url);

    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    private string LogFile => Path.Combine(Path.GetTempPath(), Path.GetFileName(Folder) + ".log");

    /// <param name="version">7 or 8.</param>
    /// <param name="folder">Data that is there, such as a restored one; null: an empty folder.</param>
    /// <param name="settings">Name and value in turn.</param>
    public static async Task<RedisServer> StartAsync(int version = 7, string? folder = null, params string[] settings)
    {
        var server = new RedisServer(Program(version), folder ?? Directory.CreateTempSubdirectory("fbredis-").FullName, folder is null, settings);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task StartAgainAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            Port = FreePorts.Take();
            List<string> arguments =
            [
                "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", Folder, "--save", "", "--daemonize", "no",
                "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0",
            ];
            foreach (var (name, value) in _settings.Chunk(2).Select(p => (p[0], p[1]))) arguments.AddRange(["--" + name, value]);
            _process = await SupervisedProcess.StartAsync(ServerUser.Current, _program, arguments, LogFile, CancellationToken.None);
            if (await FreePorts.AnswersAsync(Port, () => _process.HasExited, CancellationToken.None) && await IsReadyAsync()) return;
            await StopAsync();
            if (attempt == 3) throw new InvalidOperationException($"Redis did not start:\n{Log}");
        }
    }

    /// <summary>Ends it at once, as a crash does.</summary>
    public async Task StopAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>A connection as the default user.</summary>
    public Task<RedisConnection> ConnectAsync() => RedisConnection.OpenAsync(Address, CancellationToken.None).AsTask();

    /// <summary>Runs a command of words, and gives its answer.</summary>
    public async Task<RedisReply> RunAsync(params string[] words)
    {
        await using var connection = await ConnectAsync();
        return await connection.CallAsync(CancellationToken.None, [.. words.Select(w => (RedisArgument)w)]);
    }

    /// <summary>Runs commands one after the other: each a line of words.</summary>
    public async Task RunAllAsync(params string[] lines)
    {
        await using var connection = await ConnectAsync();
        foreach (var line in lines)
            await connection.CallAsync(CancellationToken.None, [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => (RedisArgument)w)]);
    }

    /// <summary>The server's own digest of all keys, values and expiries.</summary>
    public async Task<string> DigestAsync() => (await RunAsync("DEBUG", "DIGEST")).Text;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        File.Delete(LogFile);
        if (_ownsFolder) Directory.Delete(Folder, recursive: true);
    }

    private static string Program(int version)
    {
        if (version == 8) return TestCache.TrixieProgram("redis-server");
        var program = Path.Combine(TestCache.Directory, "redis-7", "redis-server");
        return File.Exists(program) ? program : throw new InvalidOperationException("Redis 7 is not installed; run scripts/install-test-servers.sh.");
    }

    /// <summary>Loading takes a while, in which all is answered with an error.</summary>
    private async Task<bool> IsReadyAsync()
    {
        for (var i = 0; i < 600 && _process is { HasExited: false }; i++)
        {
            try
            {
                await using var connection = await RedisConnection.OpenAsync(Address, CancellationToken.None);
                await connection.CallAsync(CancellationToken.None, "PING");
                return true;
            }
            catch (RedisException e) when (e.Code == "NOAUTH")
            {
                return true;
            }
            catch (RedisException)
            {
                await Task.Delay(50);
            }
        }

        return false;
    }
}
