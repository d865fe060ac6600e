using System.Text;
using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Description;
using FunctionsBackup.Operations.Audit;
using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.Functions.Http;

/// <summary>Records what was asked for over HTTP: each operation that is more than a look, whatever came of it, and who was turned away.</summary>
public sealed class RequestAudit(IAuditLog log, DeniedRequests denied)
{
    /// <summary>After a request was answered.</summary>
    public async ValueTask RecordAsync(HttpRequest request, ApiOperation operation, Caller caller, Answer answer, string? error)
    {
        var address = request.HttpContext.Connection.RemoteIpAddress?.ToString();
        if (answer.Status == StatusCodes.Status403Forbidden)
        {
            await denied.NoteAsync(ActorOf(caller), address, $"{request.Method} {operation.Route}", answer.Status, error ?? "The caller may not.");
            return;
        }

        if (operation.Method == "get" || operation.IsJournal) return; // refusals of a journal are counted above: strangers must not fill the log
        var facts = new Dictionary<string, string>
        {
            ["request"] = $"{request.Method} {request.Path}",
            ["status"] = $"{answer.Status}",
        };
        if (request.Headers["X-Forwarded-For"] is [{ Length: > 0 } forwarded, ..]) facts["forwarded_for"] = forwarded; // as the proxy says
        if (caller.Id is { } id) facts["principal_id"] = id;
        foreach (var (name, value) in answer.Facts) facts[name] = value;
        var target = request.RouteValues["id"]?.ToString();
        await log.RecordAsync(new AuditEntry
        {
            Action = ActionOf(operation, request),
            Outcome = answer.Status switch
            {
                StatusCodes.Status202Accepted => AuditOutcome.Accepted,
                < 400 => AuditOutcome.Done,
                < 500 => AuditOutcome.Refused,
                _ => AuditOutcome.Failed,
            },
            Actor = ActorOf(caller),
            RemoteAddress = address,
            Target = target,
            Instance = answer.Location is { } url ? url[(url.LastIndexOf('/') + 1)..] : null,
            Error = error,
            Facts = facts,
        });
    }

    private static AuditActor ActorOf(Caller caller) => new(caller.Kind, caller.Name, caller.Role?.ToString().ToLowerInvariant());

    /// <summary>What the table of operations says; steering is named by its verb.</summary>
    private static string ActionOf(ApiOperation operation, HttpRequest request)
    {
        if (operation.Action is { } named) return named;
        if (request.RouteValues["verb"]?.ToString() is { Length: > 0 and <= 20 } verb && verb.All(char.IsAsciiLetterLower)) return $"work.{verb}";
        var action = new StringBuilder("api.");
        foreach (var c in operation.Function)
        {
            if (char.IsAsciiLetterUpper(c) && action[^1] != '.') action.Append('_');
            action.Append(char.ToLowerInvariant(c));
        }

        return action.ToString();
    }
}
