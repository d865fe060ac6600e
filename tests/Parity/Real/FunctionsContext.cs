using DurableTask.Core;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Parity.Real;

/// <summary>
/// What the Functions extension puts around the framework's context: the input is read as whatever type is asked for, and a use from
/// another thread than the orchestrator's is refused.
/// </summary>
internal sealed class FunctionsContext(TaskOrchestrationContext inner, DataConverter converter) : TaskOrchestrationContext
{
    /// <summary>The extension's own words.</summary>
    private const string IllegalAwait =
        "An invalid asynchronous invocation was detected. This can be caused by awaiting non-durable tasks in an orchestrator " +
        "function's implementation or by middleware that invokes asynchronous code.";

    public bool IsAccessed { get; private set; }

    public override TaskName Name => inner.Name;

    public override string InstanceId => inner.InstanceId;

    public override ParentOrchestrationInstance? Parent => inner.Parent;

    public override DateTime CurrentUtcDateTime => inner.CurrentUtcDateTime;

    public override bool IsReplaying => inner.IsReplaying;

    public override string Version => inner.Version;

    public override ILoggerFactory ReplaySafeLoggerFactory => inner.ReplaySafeLoggerFactory;

    protected override ILoggerFactory LoggerFactory => inner.ReplaySafeLoggerFactory;

    public override T GetInput<T>()
    {
        Enter();
        var input = inner.GetInput<object>();
        return input is T typed ? typed : input is null ? default! : converter.Deserialize<T>(converter.Serialize(input))!;
    }

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        Enter();
        return inner.CallActivityAsync<TResult>(name, input, options);
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        Enter();
        return inner.CallSubOrchestratorAsync<TResult>(orchestratorName, input, options);
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        Enter();
        return inner.CreateTimer(fireAt, cancellationToken);
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        Enter();
        return inner.WaitForExternalEvent<T>(eventName, cancellationToken);
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        Enter();
        inner.SendEvent(instanceId, eventName, payload);
    }

    public override void SetCustomStatus(object? customStatus)
    {
        Enter();
        inner.SetCustomStatus(customStatus);
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true)
    {
        Enter();
        inner.ContinueAsNew(newInput, preserveUnprocessedEvents);
    }

    public override Guid NewGuid()
    {
        Enter();
        return inner.NewGuid();
    }

    /// <summary>Runs an orchestrator as the extension does.</summary>
    public static async Task<object?> RunAsync(
        TaskOrchestrationContext inner, DataConverter converter, Func<TaskOrchestrationContext, Task<object?>> code)
    {
        var context = new FunctionsContext(inner, converter);
        var run = code(context);
        if (!run.IsCompleted && !context.IsAccessed) throw new InvalidOperationException(IllegalAwait);
        var result = await run;
        Check();
        return result;
    }

    private void Enter()
    {
        Check();
        IsAccessed = true;
    }

    private static void Check()
    {
        if (!OrchestrationContext.IsOrchestratorThread) throw new InvalidOperationException(IllegalAwait);
    }
}
