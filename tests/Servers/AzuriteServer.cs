using System.Diagnostics;
using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Verification;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// Azurite, the emulator of Azure Blob storage, in a directory of its own on 127.0.0.1. Gone, with its directory, when disposed and also
/// when the test process dies.
/// </summary>
public sealed class AzuriteServer : IAsyncDisposable
{
    /// <summary>The account and the key that every Azurite has; they are published and no secret.</summary>
    public const string Account = "devstoreaccount1";
    public const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly ScratchDirectory _scratch;
    private SupervisedProcess? _process;

    private AzuriteServer(ScratchDirectory scratch) => _scratch = scratch;

    public int Port { get; } = FreePorts.Take();

    /// <summary>Of the account: <c>http://127.0.0.1:PORT/devstoreaccount1</c>.</summary>
    public Uri Endpoint => EndpointAt(Port);

    public string ConnectionString => ConnectionStringAt(Port);

    /// <summary>The account's address through a proxy at another port.</summary>
    public static Uri EndpointAt(int port) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/{Account}"));

    public static string ConnectionStringAt(int port) => string.Create(
        CultureInfo.InvariantCulture,
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={AccountKey};BlobEndpoint={EndpointAt(port)};");

    public static async Task<AzuriteServer> StartAsync(CancellationToken cancellationToken = default)
    {
        var scratch = await ScratchDirectory.CreateAsync(ServerUser.Current, "/tmp", "fbaz", cancellationToken).ConfigureAwait(false);
        var server = new AzuriteServer(scratch);
        try
        {
            await server.StartAgainAsync(cancellationToken).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts it with the data that it had.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        var program = Path.Combine(TestCache.Directory, "azurite/node_modules/azurite/dist/src/blob/main.js");
        if (!File.Exists(program)) throw new InvalidOperationException($"{program} is missing; run scripts/install-test-servers.sh.");
        var log = Path.Combine(_scratch.Path, "log");
        _process = await SupervisedProcess.StartAsync(
            ServerUser.Current, "node",
            [
                program, "--blobHost", "127.0.0.1", "--blobPort", Port.ToString(CultureInfo.InvariantCulture), "-l", _scratch.Path, "--silent",
                "--disableTelemetry", "--skipApiVersionCheck",
            ],
            log, cancellationToken).ConfigureAwait(false);
        if (!await FreePorts.AnswersAsync(Port, () => _process.HasExited, cancellationToken).ConfigureAwait(false))
            throw new InvalidOperationException($"Azurite did not start; see {log}.");
    }

    /// <summary>Lets it write what it holds, and end.</summary>
    public Task StopAsync() => EndAsync("-INT");

    /// <summary>SIGKILL. Unlike the service that it stands for, it loses what it has not written yet, though it was acknowledged.</summary>
    public Task KillAsync() => EndAsync("-KILL");

    private async Task EndAsync(string signal)
    {
        if (_process is null) return;
        var id = _process.ServerId.ToString(CultureInfo.InvariantCulture);
        using (var kill = Process.Start("kill", [signal, id])) await kill.WaitForExitAsync().ConfigureAwait(false);
        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        await _process.DisposeAsync().ConfigureAwait(false);
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync().ConfigureAwait(false);
        await _scratch.DisposeAsync().ConfigureAwait(false);
    }
}
