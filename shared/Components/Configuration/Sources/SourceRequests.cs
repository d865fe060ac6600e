using System.Net;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>Requests to services that hold configuration: a few attempts, answers of bounded size, errors without secrets.</summary>
internal sealed class SourceRequests(HttpClient client, string service, TimeProvider time)
{
    private const int Attempts = 5;
    private const int MaximumBytes = 64 << 20;

    /// <summary>Sends until there is an answer that is none of overload or failure of the server.</summary>
    /// <param name="make">Makes the request anew for each attempt, with what signs it.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Status, headers and body.</returns>
    /// <exception cref="ConfigurationSourceException">There is none, or it is too large.</exception>
    internal async ValueTask<SourceAnswer> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            Exception? failure = null;
            try
            {
                using var request = make();
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
                if (response.StatusCode is not (HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError) || attempt == Attempts)
                {
                    var body = await ReadAsync(response, cancellationToken).ConfigureAwait(false);
                    var link = response.Headers.TryGetValues("Link", out var links) ? links.FirstOrDefault() : null;
                    return new SourceAnswer(response.StatusCode, link, body) { Challenge = response.Headers.WwwAuthenticate.FirstOrDefault()?.Parameter };
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                failure = e;
            }

            if (attempt == Attempts)
                throw new ConfigurationSourceException($"{service} cannot be reached: {failure?.Message ?? "no answer"}; look at the address and the network.", failure, transient: true);
            await Task.Delay(TimeSpan.FromMilliseconds(100 << attempt), time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var body = new MemoryStream();
            var buffer = new byte[64 << 10];
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (body.Length + read > MaximumBytes) throw new ConfigurationSourceException($"{service} gave an answer of more than 64 MiB; is it the right service?");
                body.Write(buffer, 0, read);
            }

            return body.ToArray();
        }
    }
}

/// <summary>What a service answered.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Link">Its <c>Link</c> header.</param>
/// <param name="Body">Its bytes.</param>
internal sealed record SourceAnswer(HttpStatusCode Status, string? Link, byte[] Body)
{
    /// <summary>What stands behind the scheme in its first <c>WWW-Authenticate</c>.</summary>
    public string? Challenge { get; init; }
}
