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

/// <summary>The edge of the API: every function runs in here. Looks up who may, and turns what goes wrong into problem details.</summary>
public sealed partial class ApiEdge(ICallerSource callers, ILogger<ApiEdge> log)
{
    /// <param name="request">The request.</param>
    /// <param name="context">The invocation: the function's name says which role is needed.</param>
    /// <param name="work">What is done for a caller who may.</param>
    public async Task<IActionResult> RunAsync(HttpRequest request, FunctionContext context, Func<Caller, Task<Answer>> work)
    {
        try
        {
            var name = context.FunctionDefinition.Name;
            if (ApiOperations.Find(name) is not { } operation) // a function that nobody put into the table answers nobody
                throw new InvalidOperationException($"The function {name} is not in the table of operations.");
            var caller = operation.Role is null ? new Caller("anonymous", null) : callers.Find(request);
            if (operation.Role is { } needed && !(caller.Role >= needed))
                return ProblemException.ToAnswer(StatusCodes.Status403Forbidden,
                    $"This needs the role {Word(needed)}, and the caller has {(caller.Role is { } role ? Word(role) : "none")}.");
            return await work(caller);
        }
        catch (ProblemException e)
        {
            return ProblemException.ToAnswer(e.Status, e.Message);
        }
        catch (InvalidRequestException e)
        {
            return ProblemException.ToAnswer(StatusCodes.Status400BadRequest, e.Message);
        }
        catch (ConfigurationException e)
        {
            LogConfiguration(log, e.Message);
            var first = e.Message.Split('\n')[0];
            var more = e.Errors.Count > 1 ? $" (And {e.Errors.Count - 1} more; 'fbackup config check' lists them.)" : "";
            return ProblemException.ToAnswer(StatusCodes.Status409Conflict, first + more);
        }
        catch (SnapshotNotFoundException e)
        {
            return ProblemException.ToAnswer(StatusCodes.Status404NotFound, e.Message);
        }
        catch (RepositoryException e)
        {
            LogRepository(log, e);
            return ProblemException.ToAnswer(StatusCodes.Status409Conflict, e.Message);
        }
    }

    private static string Word(ApiRole role) => role.ToString().ToLowerInvariant();

    [LoggerMessage(5101, LogLevel.Warning, "The configuration cannot be used: {Errors}")]
    private static partial void LogConfiguration(ILogger logger, string errors);

    [LoggerMessage(5102, LogLevel.Warning, "The repository cannot be used.")]
    private static partial void LogRepository(ILogger logger, Exception exception);
}
