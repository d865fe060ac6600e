using System.Net;
using System.Net.Security;
using System.Security.Authentication;

namespace FunctionsBackup.Storage.Remote;

/// <summary>The one kind of HTTP handler that stores use: bounded connections, TLS 1.2 or newer, no redirects, no cookies.</summary>
internal static class HttpHandlers
{
    public static SocketsHttpHandler Create(RemoteLimits limits) => new()
    {
        MaxConnectionsPerServer = limits.Connections,
        ConnectTimeout = limits.RequestTimeout < ConnectLimit ? limits.RequestTimeout : ConnectLimit,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that changes of the service's addresses are noticed
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        SslOptions = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls13 | SslProtocols.Tls12 },
    };

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(15);
}
