using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Description;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Repository;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Functions.Http;

/// <summary>The edge of the API: every function runs in here. Looks up who may, turns what goes wrong into problem details, and has
/// it all recorded.</summary>
public sealed partial class ApiEdge(ICallerSource callers, RequestAudit audit, ILogger<ApiEdge> log)
{
    /// <param name="request">The request.</param>
    /// <param name="context">The invocation: the function's name says which role is needed.</param>
    /// <param name="work">What is done for a caller who may.</param>
    public async Task<IActionResult> RunAsync(HttpRequest request, FunctionContext context, Func<Caller, Task<Answer>> work)
    {
        var name = context.FunctionDefinition.Name;
        if (ApiOperations.Find(name) is not { } operation) // a function that nobody put into the table answers nobody
            throw new InvalidOperationException($"The function {name} is not in the table of operations.");
        var caller = operation.Role is null ? new Caller("anonymous", null) : callers.Find(request);
        var (answer, error) = (default(Answer), "It failed inside the server.");
        try
        {
            (answer, error) = await AnswerAsync(operation, caller, work);
            return answer;
        }
        finally
        {
            // Also of what was broken off or failed in a way that nobody foresaw.
            await audit.RecordAsync(
                request, operation, caller, answer ?? ProblemException.ToAnswer(StatusCodes.Status500InternalServerError, error!), error);
        }
    }

    private async Task<(Answer Answer, string? Error)> AnswerAsync(ApiOperation operation, Caller caller, Func<Caller, Task<Answer>> work)
    {
        try
        {
            if (operation.Role is { } needed && !(caller.Role >= needed))
                return Refused(StatusCodes.Status403Forbidden,
                    $"This needs the role {Word(needed)}, and the caller has {(caller.Role is { } role ? Word(role) : "none")}.");
            return (await work(caller), null);
        }
        catch (ProblemException e)
        {
            return Refused(e.Status, e.Message);
        }
        catch (InvalidRequestException e)
        {
            return Refused(StatusCodes.Status400BadRequest, e.Message);
        }
        catch (ConfigurationException e)
        {
            LogConfiguration(log, e.Message);
            var first = e.Message.Split('\n')[0];
            var more = e.Errors.Count > 1 ? $" (And {e.Errors.Count - 1} more; 'fbackup config check' lists them.)" : "";
            return Refused(StatusCodes.Status409Conflict, first + more);
        }
        catch (SnapshotNotFoundException e)
        {
            return Refused(StatusCodes.Status404NotFound, e.Message);
        }
        catch (RepositoryException e)
        {
            LogRepository(log, e);
            return Refused(StatusCodes.Status409Conflict, e.Message);
        }
    }

    private static (Answer, string?) Refused(int status, string why) => (ProblemException.ToAnswer(status, why), why);

    private static string Word(ApiRole role) => role.ToString().ToLowerInvariant();

    [LoggerMessage(5101, LogLevel.Warning, "The configuration cannot be used: {Errors}")]
    private static partial void LogConfiguration(ILogger logger, string errors);

    [LoggerMessage(5102, LogLevel.Warning, "The repository cannot be used.")]
    private static partial void LogRepository(ILogger logger, Exception exception);
}
