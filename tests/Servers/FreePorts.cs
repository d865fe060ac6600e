using System.Net;
using System.Net.Sockets;

namespace FunctionsBackup.Tests.Servers;

/// <summary>Ports of 127.0.0.1 that nobody listens at.</summary>
public static class FreePorts
{
    public static int Take() => Take(1)[0];

    /// <summary>Different ones; somebody else may still be faster, which a server says when it starts.</summary>
    public static int[] Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToArray();
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }

    /// <summary>Waits until something listens at the port, or <paramref name="hasEnded"/>.</summary>
    public static async Task<bool> AnswersAsync(int port, Func<bool> hasEnded, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!hasEnded() && !limit.IsCancellationRequested)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, limit.Token).ConfigureAwait(false);
                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(25, CancellationToken.None).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                break;
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        return false;
    }
}
