using Microsoft.DurableTask;

namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>Tries a task as often as its options say. Part of the orchestrator's turn: waits are durable timers.</summary>
internal static class Retrying
{
#pragma warning disable CA2007 // Goes on in the orchestrator's own context.
    public static async Task<T> RunAsync<T>(TaskOrchestrationContext context, string name, TaskRetryOptions? options, Func<Task<T>> attempt)
    {
        var began = context.CurrentUtcDateTime;
        for (var number = 1; ; number++)
        {
            try
            {
                return await attempt();
            }
            catch (TaskFailure failure)
            {
                if (failure.Failure.IsFinal || options is null) throw failure.ToPublic(name);
                if (options.Handler is { } handler)
                {
                    var details = failure.Failure.ToDetails();
                    var again = await handler(new(context, number, details, context.CurrentUtcDateTime - began, default));
                    if (!again) throw failure.ToPublic(name);
                }
                else
                {
                    var wait = Wait(options.Policy!, number, context.CurrentUtcDateTime - began, failure);
                    if (wait is null) throw failure.ToPublic(name);
                    await context.CreateTimer(wait.Value, CancellationToken.None);
                }
            }
        }
    }
#pragma warning restore CA2007

    /// <returns>Null: no further attempt.</returns>
    private static TimeSpan? Wait(RetryPolicy policy, int attempts, TimeSpan sinceFirst, TaskFailure failure)
    {
        if (attempts >= policy.MaxNumberOfAttempts || !policy.FailureFilter(failure.Failure.ToDetails())) return null;
        if (policy.RetryTimeout != Timeout.InfiniteTimeSpan && sinceFirst >= policy.RetryTimeout) return null;
        var longest = policy.MaxRetryInterval == Timeout.InfiniteTimeSpan ? TimeSpan.FromDays(3650) : policy.MaxRetryInterval;
        var milliseconds = policy.FirstRetryInterval.TotalMilliseconds * Math.Pow(policy.BackoffCoefficient, attempts - 1);
        return milliseconds < longest.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : longest;
    }
}
