using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// A door on 127.0.0.1 in front of a server: connections wait behind it until it is opened, then bytes pass both ways as they are. So a test
/// holds work in the middle for as long as it likes, and waits for no clock.
/// </summary>
public sealed class TcpGate : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _serverPort;
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accepting;

    /// <param name="serverPort">Where the server listens on 127.0.0.1.</param>
    public TcpGate(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Completed by the first connection.</summary>
    public Task Arrived => _arrived.Task;

    /// <summary>A connection of PostgreSQL's clients that waits for the gate, ten minutes if need be.</summary>
    public string PostgresConnection => string.Create(
        CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres;Timeout=600;Command Timeout=600");

    /// <summary>Lets in who waits, and who comes later.</summary>
    public void Open() => _opened.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                _connections.Add(PassAsync(client));
                _arrived.TrySetResult();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            return; // the test is over
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _opened.Task.WaitAsync(_stop.Token).ConfigureAwait(false);
                using var server = new TcpClient();
                await server.ConnectAsync(IPAddress.Loopback, _serverPort, _stop.Token).ConfigureAwait(false);
                var (near, far) = (client.GetStream(), server.GetStream());
                // Whichever end hangs up first ends both.
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                var (there, back) = (near.CopyToAsync(far, ended.Token), far.CopyToAsync(near, ended.Token));
                await Task.WhenAny(there, back).ConfigureAwait(false);
                await ended.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(there, back).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                return;
            }
        }
    }
}
