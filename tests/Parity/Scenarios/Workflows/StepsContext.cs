using System.Globalization;
using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Parity.Scenarios.Workflows;

/// <summary>Passes everything on, and notes each step.</summary>
/// <param name="inner">The engine's.</param>
/// <param name="steps">Where it is noted.</param>
/// <param name="run">The instance and its input: a round after <c>ContinueAsNew</c> is a run of its own.</param>
internal sealed class StepsContext(TaskOrchestrationContext inner, Steps steps, string run) : TaskOrchestrationContext
{
    private int _number;

    public override TaskName Name => inner.Name;

    public override string InstanceId => inner.InstanceId;

    public override ParentOrchestrationInstance? Parent => inner.Parent;

    public override DateTime CurrentUtcDateTime => inner.CurrentUtcDateTime;

    public override bool IsReplaying => inner.IsReplaying;

    public override string Version => inner.Version;

    public override ILoggerFactory ReplaySafeLoggerFactory => inner.ReplaySafeLoggerFactory;

    protected override ILoggerFactory LoggerFactory => inner.ReplaySafeLoggerFactory;

    public override T GetInput<T>() => inner.GetInput<T>()!;

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        Note($"activity {name.Name} {Json(input)}{Options(options)}");
        return inner.CallActivityAsync<TResult>(name, input, options);
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        Note($"sub-orchestration {orchestratorName.Name} {Json(input)}{Options(options)}");
        return inner.CallSubOrchestratorAsync<TResult>(orchestratorName, input, options);
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        Note(string.Create(CultureInfo.InvariantCulture, $"timer {(fireAt - CurrentUtcDateTime).TotalSeconds:0.###} s"));
        return inner.CreateTimer(fireAt, cancellationToken);
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default) =>
        inner.WaitForExternalEvent<T>(eventName, cancellationToken);

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        Note($"event {eventName} to {instanceId} {Json(payload)}");
        inner.SendEvent(instanceId, eventName, payload);
    }

    public override void SetCustomStatus(object? customStatus) => inner.SetCustomStatus(customStatus);

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true)
    {
        Note($"a new round with {Json(newInput)}{(preserveUnprocessedEvents ? string.Empty : ", without events")}");
        inner.ContinueAsNew(newInput, preserveUnprocessedEvents);
    }

    public override Guid NewGuid() => inner.NewGuid();

    private void Note(string what) => steps.Note(run, inner.InstanceId, _number++, what);

    private static string Json(object? value) => JsonSerializer.Serialize(value);

    private static string Options(TaskOptions? options) =>
        (options?.Retry?.Policy is { } policy ? $" up to {policy.MaxNumberOfAttempts} times" : string.Empty)
        + (options is SubOrchestrationOptions { InstanceId: { } id } ? $" as {id}" : string.Empty);
}
