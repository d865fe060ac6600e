using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// A door on 127.0.0.1 in front of a server through which bytes flow until so many have come from the server; then they stop, until the test
/// lets them go on or cuts the connections. So a test finds work in its middle, and waits for no clock.
/// </summary>
public sealed class FlowGate : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<int> _serverPort;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Lock _gate = new();
    private readonly Task _accepting;
    private TaskCompletionSource _reached = Completion(), _resumed = Done();
    private CancellationTokenSource _cut = new();
    private long _left = long.MaxValue;
    private bool _refuses;

    /// <param name="serverPort">Where the server listens on 127.0.0.1: asked for each connection.</param>
    public FlowGate(Func<int> serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Completed when the bytes have stopped.</summary>
    public Task Stopped
    {
        get
        {
            lock (_gate) return _reached.Task.WaitAsync(TimeSpan.FromMinutes(2));
        }
    }

    /// <summary>Lets that many bytes through from the server, over all connections, and then none.</summary>
    public void StopAfter(long bytes)
    {
        lock (_gate)
        {
            (_reached, _resumed) = (Completion(), Completion());
            _left = bytes;
        }
    }

    /// <summary>Lets the bytes go on.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _left = long.MaxValue;
            _refuses = false;
            _resumed.TrySetResult();
        }
    }

    /// <summary>Breaks all connections off, as a server that dies, and lets nobody in until <see cref="Resume"/>.</summary>
    public async Task CutAsync()
    {
        CancellationTokenSource cut;
        lock (_gate)
        {
            _refuses = true;
            (cut, _cut) = (_cut, new CancellationTokenSource());
        }

        await cut.CancelAsync().ConfigureAwait(false);
        cut.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections).ConfigureAwait(false);
        _stop.Dispose();
        _cut.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                CancellationToken cut;
                bool refuses;
                lock (_gate) (cut, refuses) = (_cut.Token, _refuses);
                if (refuses) client.Dispose();
                else _connections.Add(PassAsync(client, cut));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            return; // the test is over
        }
    }

    private async Task PassAsync(TcpClient client, CancellationToken cut)
    {
        using (client)
        {
            try
            {
                using var server = new TcpClient();
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, cut);
                await server.ConnectAsync(IPAddress.Loopback, _serverPort(), ended.Token).ConfigureAwait(false);
                var (there, back) = (client.GetStream().CopyToAsync(server.GetStream(), ended.Token), FlowAsync(server, client, ended.Token));
                // Whichever end hangs up first ends both; what the server said last still arrives.
                if (await Task.WhenAny(there, back).ConfigureAwait(false) == there) server.Client.Shutdown(SocketShutdown.Send);
                await back.ConfigureAwait(false);
                await ended.CancelAsync().ConfigureAwait(false);
                await there.ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or InvalidOperationException)
            {
                return; // one of the ends has hung up
            }
        }
    }

    private async Task FlowAsync(TcpClient server, TcpClient client, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (await server.GetStream().ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
        {
            Task? wait = null;
            lock (_gate)
            {
                if (_left < read)
                {
                    _reached.TrySetResult();
                    wait = _resumed.Task;
                }
                else if (_left != long.MaxValue)
                {
                    _left -= read;
                }
            }

            if (wait is not null) await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
            await client.GetStream().WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource Completion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Done()
    {
        var done = Completion();
        done.SetResult();
        return done;
    }
}
