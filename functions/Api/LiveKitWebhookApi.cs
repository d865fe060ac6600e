using FunctionsBackup.Components.LiveKit.Journal;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.LiveKitEvents;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Functions.Api;

/// <summary>
/// Where a LiveKit server sends its events. Anybody may send something; what is not signed with the API secret is refused, and the body is read before
/// only as far as its limit.
/// </summary>
public sealed class LiveKitWebhookApi(ApiEdge edge, BackupSite site, EventRecorder recorder)
{
    private const int MaximumBytes = 1 << 20;

    [Function("ReceiveLiveKitEvent")]
    public Task<IActionResult> ReceiveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "livekit/webhook")] HttpRequest request, FunctionContext context,
        CancellationToken cancellationToken) => edge.RunAsync(request, context, _ => ReceiveAsync(request, cancellationToken));

    private async Task<Answer> ReceiveAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (site.Configuration.LiveKit is null) throw ProblemException.NotFound("There is nothing here.");
        if (request.Headers.Authorization is not [{ Length: > 0 } authorization]) throw Refused();
        var body = await ReadAsync(request, cancellationToken);
        if (new WebhookVerifier(LiveKitAccess.Connect(site), site.Time).FindProblem(authorization, body.Span) is not null) throw Refused();
        if (site.IsWriteOnly)
            throw new ProblemException(StatusCodes.Status503ServiceUnavailable, "This host only adds recovery points; send events to one that has a key.");
        var item = JournalEvent.Parse(body) ?? throw ProblemException.BadRequest("The body is no event of LiveKit.");
        var outcome = await recorder.AddAsync(item, cancellationToken);
        return outcome != EventOutcome.Busy ? Answer.Of(new ReceivedEvent(outcome == EventOutcome.Kept))
            : throw new ProblemException(StatusCodes.Status503ServiceUnavailable, "Too many events wait to be kept; send it again later.");
    }

    /// <summary>The reason is nobody's business.</summary>
    private static ProblemException Refused() =>
        new(StatusCodes.Status403Forbidden, "The event is not signed with the key and secret of components.livekit.");

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaximumBytes) throw TooLarge();
        using var bytes = new MemoryStream();
        var buffer = new byte[16 << 10];
        try
        {
            while (await request.Body.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                if (bytes.Length + read > MaximumBytes) throw TooLarge();
                bytes.Write(buffer, 0, read);
            }
        }
        catch (BadHttpRequestException e)
        {
            throw e.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge() : ProblemException.BadRequest("The body is cut short.");
        }

        return bytes.ToArray();
    }

    private static ProblemException TooLarge() => new(StatusCodes.Status413PayloadTooLarge, "The body is larger than 1 MiB; send less.");
}

/// <summary>What became of an event.</summary>
/// <param name="Kept">False: it had been kept before.</param>
public sealed record ReceivedEvent(bool Kept);
