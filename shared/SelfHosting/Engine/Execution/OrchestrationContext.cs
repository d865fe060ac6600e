using FunctionsBackup.SelfHosting.Engine.Payloads;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>What the orchestrator's code sees of its <see cref="OrchestrationExecution"/>.</summary>
internal sealed class OrchestrationContext(OrchestrationExecution execution) : TaskOrchestrationContext
{
    private int _guids;

    public override TaskName Name => execution.Identity.Name;

    public override string InstanceId => execution.Identity.InstanceId;

    public override ParentOrchestrationInstance? Parent => execution.Identity.Parent;

    public override string Version => execution.Identity.Version;

    public override DateTime CurrentUtcDateTime => execution.CurrentUtcDateTime;

    public override bool IsReplaying => execution.IsReplaying;

    protected override ILoggerFactory LoggerFactory => execution.Loggers;

    public override T? GetInput<T>()
        where T : default => Payload.Deserialize<T>(execution.Input);

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        execution.RequireTurn(nameof(CallActivityAsync));
        RefuseOptionsAsInput(input, options);
        var json = execution.Serialize(input, $"The input of the activity '{name}'");
        return Retrying.RunAsync(this, name, options?.Retry, async () => Result<TResult>(await execution.CallActivity(name, json)));
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        execution.RequireTurn(nameof(CallSubOrchestratorAsync));
        RefuseOptionsAsInput(input, options);
        var json = execution.Serialize(input, $"The input of the sub-orchestration '{orchestratorName}'");
        var explicitId = (options as SubOrchestrationOptions)?.InstanceId;
        return Retrying.RunAsync(this, orchestratorName, options?.Retry, async () =>
        {
            var id = explicitId ?? $"{InstanceId}:{NewGuid():N}"[..(InstanceId.Length + 13)];
            return Result<TResult>(await execution.CallSubOrchestration(orchestratorName, id, options?.Version, json, options?.Tags));
        });
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        execution.RequireTurn(nameof(CreateTimer));
        return execution.CreateTimer(new DateTimeOffset(fireAt.ToUniversalTime()), cancellationToken);
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        execution.RequireTurn(nameof(WaitForExternalEvent));
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        return execution.Events.Wait<T>(eventName, cancellationToken);
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        execution.RequireTurn(nameof(SendEvent));
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        execution.SendEvent(instanceId, eventName, execution.Serialize(payload, $"The event '{eventName}'"));
    }

    public override void SetCustomStatus(object? customStatus)
    {
        execution.RequireTurn(nameof(SetCustomStatus));
        execution.SetCustomStatus(customStatus);
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        ContinueAsNew(new ContinueAsNewOptions { NewInput = newInput, PreserveUnprocessedEvents = preserveUnprocessedEvents });

    public override void ContinueAsNew(ContinueAsNewOptions options)
    {
        execution.RequireTurn(nameof(ContinueAsNew));
        execution.ContinueAsNew(options);
    }

    public override Guid NewGuid()
    {
        execution.RequireTurn(nameof(NewGuid));
        return DeterministicGuid.Create($"{InstanceId}_{CurrentUtcDateTime:O}_{_guids++}");
    }

    /// <summary>The overloads make it easy to pass options as the input.</summary>
    private static void RefuseOptionsAsInput(object? input, TaskOptions? options)
    {
        if (input is TaskOptions && options is null)
            throw new ArgumentException($"{nameof(TaskOptions)} were given as the input; pass them as the options.", nameof(input));
    }

    private static TResult Result<TResult>(string? json) => Payload.Deserialize<TResult>(json)!;
}
