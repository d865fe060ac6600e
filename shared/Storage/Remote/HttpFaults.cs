using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace FunctionsBackup.Storage.Remote;

/// <summary>What went wrong below the services' own errors: names, connections, TLS, status codes.</summary>
internal static class HttpFaults
{
    /// <summary>Whether a status may change by itself.</summary>
    public static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
        or HttpStatusCode.GatewayTimeout;

    /// <summary>A failure of the connection, or null if the exception is something else.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="cannot">The sentence's beginning: <c>Cannot read object x in bucket y:</c>.</param>
    public static RequestFault? Translate(Exception exception, string cannot)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case AuthenticationException:
                    return new RequestFault(
                        new StoreAccessException(
                            $"{cannot} the TLS handshake failed ({FirstLine(inner)}); give the service a certificate that this machine "
                            + "trusts and TLS 1.2 or newer.",
                            exception),
                        retry: false);
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }:
                    return Unavailable("the service's name is not known; correct storage.endpoint, storage.region or the name service");
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return Unavailable("nothing listens at the service's address; start the service or correct storage.endpoint");
            }
        }

        for (var inner = exception; inner is not null; inner = inner.InnerException)
            if (inner is HttpRequestException or IOException or SocketException or OperationCanceledException)
                return Unavailable($"the connection was lost ({FirstLine(inner)}); look at the network and the service");
        return null;

        RequestFault Unavailable(string why) => new(new StoreUnavailableException($"{cannot} {why}.", exception), retry: true);
    }

    /// <summary>What the exception says, short enough for a sentence.</summary>
    public static string FirstLine(Exception exception)
    {
        var line = exception.Message.Split('\n')[0].Trim().TrimEnd('.');
        return line.Length <= 200 ? line : line[..200] + "…";
    }
}
