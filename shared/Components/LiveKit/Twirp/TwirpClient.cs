using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Access;
using Polly;
using Polly.Retry;

namespace FunctionsBackup.Components.LiveKit.Twirp;

/// <summary>
/// Calls a LiveKit server: Twirp with JSON (twitchtv/twirp, protocol v7), a token for each attempt. Answers stay JSON, so that fields that this
/// version does not know are kept.
/// </summary>
public sealed class TwirpClient : IDisposable
{
    /// <summary>Bytes of an answer; a page of a thousand objects has about one million.</summary>
    public const int MaximumAnswer = 64 << 20;

    private const int MaximumError = 64 << 10;
    private const int MaximumDepth = 64;

    private readonly HttpClient _http;
    private readonly TokenMinter _tokens;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly ResiliencePipeline _retries;

    /// <param name="connection">Where.</param>
    /// <param name="time">Of tokens, limits and retries.</param>
    /// <param name="timeout">Of one attempt; default 30 s.</param>
    public TwirpClient(LiveKitConnection connection, TimeProvider time, TimeSpan? timeout = null)
    {
        _tokens = new TokenMinter(connection, time);
        _time = time;
        _timeout = timeout ?? TimeSpan.FromSeconds(30);
        // A redirect would carry the token to somebody else.
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxConnectionsPerServer = 32 })
        {
            BaseAddress = connection.HttpAddress, Timeout = Timeout.InfiniteTimeSpan,
        };
        _retries = new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<LiveKitException>(e => e.IsTransient),
            MaxRetryAttempts = 4,
            Delay = TimeSpan.FromMilliseconds(250),
            MaxDelay = TimeSpan.FromSeconds(5),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        }).Build();
    }

    /// <summary>Host and port, for sentences.</summary>
    public string Server => _http.BaseAddress!.Authority;

    /// <summary>Asks; what may pass is tried again.</summary>
    /// <param name="method">As in <c>SIP/ListSIPInboundTrunk</c>.</param>
    /// <param name="request">The message, in proto names.</param>
    /// <param name="grant">What the call needs.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="LiveKitException">It was refused, or nothing answered.</exception>
    public async ValueTask<JsonDocument> AskAsync(string method, JsonObject request, LiveKitGrant grant, CancellationToken cancellationToken) =>
        await _retries.ExecuteAsync(token => SendAsync(method, request, grant, token), cancellationToken).ConfigureAwait(false);

    /// <summary>Changes something: tried once, because an answer that was lost does not say that nothing was done.</summary>
    /// <exception cref="LiveKitException">It was refused, or nothing answered.</exception>
    public ValueTask<JsonDocument> ChangeAsync(string method, JsonObject request, LiveKitGrant grant, CancellationToken cancellationToken) =>
        SendAsync(method, request, grant, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async ValueTask<JsonDocument> SendAsync(string method, JsonObject request, LiveKitGrant grant, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, $"twirp/livekit.{method}");
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens.Mint(grant));
            message.Content = new StringContent(request.ToJsonString(), Encoding.UTF8, "application/json");
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
                throw Refused(method, response.StatusCode, await ReadAsync(response, MaximumError, either.Token).ConfigureAwait(false));
            var bytes = await ReadAsync(response, MaximumAnswer, either.Token).ConfigureAwait(false)
                ?? throw new LiveKitException($"{Server} answers {method} with more than 64 MiB; is it a LiveKit server?", "malformed");
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaximumDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new LiveKitException($"What {Server} answers to {method} is no JSON; is it a LiveKit server?", "malformed", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new LiveKitException($"The LiveKit server {Server} does not answer {method} ({FirstLine(e.Message)}); look at the network.", "unavailable", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LiveKitException($"The LiveKit server {Server} did not answer {method} in time; look at the network.", "deadline_exceeded", e);
        }
    }

    /// <summary>Null: more than the limit.</summary>
    private static async ValueTask<byte[]?> ReadAsync(HttpResponseMessage response, int maximum, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > maximum) return null;
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var bytes = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            if (bytes.Length + read > maximum) return null;
            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    private LiveKitException Refused(string method, HttpStatusCode status, byte[]? body)
    {
        var (code, text) = TwirpError.Read(body, status);
        var mend = code switch
        {
            "unauthenticated" => "look at components.livekit.api_key and api_secret, and at the clocks of both machines",
            "permission_denied" => "the key of components.livekit must be one of the server's own",
            "bad_route" => "the server is of a version that does not have it, or is no LiveKit server",
            "not_connected" => "the server runs without the Redis that this service needs",
            _ when status is >= HttpStatusCode.Moved and < HttpStatusCode.BadRequest => "components.livekit.url must be the final address",
            _ => "look at the server's log",
        };
        return new LiveKitException($"The LiveKit server {Server} refused {method}: {text} ({code}); {mend}.", code);
    }

    private static string FirstLine(string message) => message.Split('\n')[0].Trim().TrimEnd('.');
}
