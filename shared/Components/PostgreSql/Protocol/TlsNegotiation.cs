using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>Connects, and turns to TLS with SSLRequest when asked (PostgreSQL manual, 55.2.10 SSL Session Encryption).</summary>
internal static class TlsNegotiation
{
    /// <summary>Length 8, then the request code 80877103.</summary>
    private static readonly byte[] SslRequest = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

    /// <exception cref="PostgresProtocolException">The server is not there, or does not offer the TLS that is demanded.</exception>
    public static async ValueTask<Stream> ConnectAsync(ServerEndpoint endpoint, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (endpoint.ConnectTimeout > TimeSpan.Zero) timeout.CancelAfter(endpoint.ConnectTimeout);
        Stream? stream = null;
        try
        {
            stream = new NetworkStream(await OpenSocketAsync(endpoint, timeout.Token), ownsSocket: true);
            if (endpoint.IsUnixSocket || endpoint.SslMode == SslMode.Disable) return stream;
            await stream.WriteAsync(SslRequest, timeout.Token);
            var answer = new byte[1];
            if (await stream.ReadAsync(answer, timeout.Token) == 0)
                throw PostgresProtocolException.Lost($"The server at {endpoint} closed the connection when asked for TLS.");
            switch (answer[0])
            {
                case (byte)'S':
                    // Exactly one byte was read, so nothing that was sent in clear can be taken for what comes under TLS (CVE-2021-23222).
                    var tls = new SslStream(stream, leaveInnerStreamOpen: false);
                    stream = tls;
                    await tls.AuthenticateAsClientAsync(Options(endpoint), timeout.Token);
                    return tls;
                case (byte)'N' when endpoint.SslMode is SslMode.Prefer or SslMode.Allow:
                    return stream;
                case (byte)'N':
                    throw PostgresProtocolException.Lost(
                        $"The server at {endpoint} does not offer TLS, which sslmode demands; switch ssl on there, or lower sslmode.");
                default:
                    throw PostgresProtocolException.Violation($"What answers at {endpoint} is not a PostgreSQL server.");
            }
        }
        catch (Exception exception)
        {
            if (stream is not null) await stream.DisposeAsync();
            throw exception switch
            {
                SocketException => PostgresProtocolException.Lost(
                    $"No PostgreSQL server answers at {endpoint}: {exception.Message}; check host, port and that it runs.", exception),
                AuthenticationException => PostgresProtocolException.Lost(
                    $"TLS with {endpoint} failed: {exception.Message} Check the certificate, sslrootcert and sslmode.", exception),
                IOException => PostgresProtocolException.Lost($"The connection to {endpoint} was lost: {exception.Message}", exception),
                OperationCanceledException when !cancellationToken.IsCancellationRequested => PostgresProtocolException.Lost(
                    $"The server at {endpoint} did not answer within {endpoint.ConnectTimeout.TotalSeconds:0} s.", exception),
                _ => exception,
            };
        }
    }

    public static SslClientAuthenticationOptions Options(ServerEndpoint endpoint)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = endpoint.Host };
        if (endpoint.ClientCertificate is { } certificate)
            options.ClientCertificates = [LoadClientCertificate(certificate, endpoint.ClientKey, endpoint.ClientKeyPassword)];
        options.RemoteCertificateValidationCallback = (_, remote, chain, errors) => IsTrusted(endpoint, remote, chain, errors);
        return options;
    }

    private static bool IsTrusted(ServerEndpoint endpoint, X509Certificate? remote, X509Chain? chain, SslPolicyErrors errors)
    {
        // As libpq: "require" encrypts without proof of identity, unless an authority is named.
        if (endpoint.SslMode is not (SslMode.VerifyCA or SslMode.VerifyFull) && endpoint.RootCertificate is null) return true;
        if (remote is not X509Certificate2 certificate) return false;
        if (endpoint.SslMode == SslMode.VerifyFull && errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return false;
        if (endpoint.RootCertificate is not { } root) return !errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors);
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.CustomTrustStore.ImportFromPemFile(root);
        if (chain is not null)
            foreach (var element in chain.ChainElements) own.ChainPolicy.ExtraStore.Add(element.Certificate);
        return own.Build(certificate);
    }

    private static X509Certificate2 LoadClientCertificate(string certificate, string? key, string? password)
    {
        try
        {
            return password is null
                ? X509Certificate2.CreateFromPemFile(certificate, key)
                : X509Certificate2.CreateFromEncryptedPemFile(certificate, password, key);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw PostgresProtocolException.Lost(
                $"The client certificate {certificate} or its key cannot be read; sslcert and sslkey name PEM files.", exception);
        }
    }

    private static async ValueTask<Socket> OpenSocketAsync(ServerEndpoint endpoint, CancellationToken cancellationToken)
    {
        var socket = endpoint.IsUnixSocket
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (endpoint.IsUnixSocket) await socket.ConnectAsync(new UnixDomainSocketEndPoint(endpoint.SocketPath), cancellationToken);
            else await socket.ConnectAsync(endpoint.Host, endpoint.Port, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
