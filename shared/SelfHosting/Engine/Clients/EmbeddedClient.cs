using DurableTask.Core.Exceptions;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Payloads;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Engine.Clients;

/// <summary>The client of the embedded engine: what it asks is durable when its tasks complete, whoever works on the state file.</summary>
/// <param name="options">Of the engine.</param>
/// <param name="writer">Commits what it asks.</param>
/// <param name="reader">For its queries.</param>
/// <param name="signals">Changes that the worker of this process made.</param>
/// <param name="workerFailure">Fails the waits when the worker of this process has failed.</param>
internal sealed partial class EmbeddedClient(
    DurableEngineOptions options, StateWriter writer, StateReader reader, InstanceSignals signals, Func<Exception?> workerFailure)
    : DurableTaskClient("embedded")
{
    /// <summary>Another process may be the worker: its changes are looked for in growing intervals.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(20), LastLook = TimeSpan.FromMilliseconds(500);

    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(orchestratorName.Name, nameof(orchestratorName));
        cancellation.ThrowIfCancellationRequested();
        var id = options?.InstanceId ?? Guid.NewGuid().ToString("N");
        InstanceIds.Check(id);
        var json = Serialize(input, $"The input of the orchestration '{orchestratorName}'");
        var tags = options?.Tags is { Count: > 0 } some ? Serialize(some, "The tags") : null;
        var version = options?.Version?.Version;
        var statuses = DedupeStatuses(options);
        await writer.RunAsync(tables =>
        {
            if (tables.Find(id) is { } existing)
            {
                if (statuses?.Contains(existing.Status) ?? !existing.HasEnded)
                    throw new OrchestrationAlreadyExistsException($"An orchestration with the id '{id}' exists and is {existing.Status}.");
                tables.RemoveInstance(existing.Key);
                if (!existing.HasEnded) tables.AddMessage(new(existing.Key, HistoryEventKind.InstanceRemoved));
            }

            var key = tables.AddInstance(id, orchestratorName, version, Now, json, tags, null, null);
            tables.AddMessage(new(key, HistoryEventKind.ExecutionStarted, 0, -1, orchestratorName, version, json, options?.StartAt));
            return key;
        }).ConfigureAwait(false);
        return id;
    }

    public override Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        cancellation.ThrowIfCancellationRequested();
        var json = Serialize(eventPayload, $"The event '{eventName}'");
        return writer.RunAsync(tables =>
        {
            if (tables.Find(instanceId) is { HasEnded: false } instance)
                tables.AddMessage(new(instance.Key, HistoryEventKind.EventRaised, 0, -1, eventName, null, json));
            return true;
        });
    }

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, i => i.Status != OrchestrationRuntimeStatus.Pending, getInputsAndOutputs, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, i => i.HasEnded, getInputsAndOutputs, cancellation);

    public override Task TerminateInstanceAsync(
        string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default) =>
        SteerAsync(instanceId, new(
            0, HistoryEventKind.ExecutionTerminated, Detail: options?.Recursive == true ? "recursive" : null,
            Data: Serialize(options?.Output, "The output")), cancellation);

    public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        SteerAsync(instanceId, new(0, HistoryEventKind.ExecutionSuspended, Data: reason), cancellation);

    public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        SteerAsync(instanceId, new(0, HistoryEventKind.ExecutionResumed, Data: reason), cancellation);

    public override Task RewindInstanceAsync(string instanceId, string reason, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return writer.RunAsync(tables =>
        {
            var instance = tables.Find(instanceId) ?? throw Missing(instanceId);
            if (instance.Status != OrchestrationRuntimeStatus.Failed)
                throw new InvalidOperationException($"Only a failed instance can be rewound; '{instanceId}' is {instance.Status}.");
            tables.SetStatus(instance.Key, OrchestrationRuntimeStatus.Pending, Now);
            tables.SetEnd(instance.Key, null, null);
            tables.AddMessage(new(instance.Key, HistoryEventKind.ExecutionRewound, Data: reason));
            return true;
        });
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask; // the engine's

    private DateTimeOffset Now => options.Time.GetUtcNow();

    private static HashSet<OrchestrationRuntimeStatus>? DedupeStatuses(StartOrchestrationOptions? options)
    {
        if (options?.DedupeStatuses is not { } names) return null;
        var statuses = new HashSet<OrchestrationRuntimeStatus>();
        foreach (var name in names)
        {
            if (!Enum.TryParse<OrchestrationRuntimeStatus>(name, ignoreCase: true, out var status) || !Enum.IsDefined(status))
                throw new ArgumentException($"'{name}' is no {nameof(OrchestrationRuntimeStatus)}.", nameof(options));
            statuses.Add(status);
        }

        OrchestrationRuntimeStatus[] running =
            [OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended];
        if (statuses.Contains(OrchestrationRuntimeStatus.Terminated) && !running.All(statuses.Contains))
        {
            throw new ArgumentException(
                "The dedupe statuses name Terminated, but let running instances be replaced: those would be terminated, and then be kept.",
                nameof(options));
        }

        return statuses;
    }

    private static ArgumentException Missing(string instanceId) => new($"There is no instance '{instanceId}'.", nameof(instanceId));

    private string? Serialize(object? value, string what) => Payload.Serialize(value, options.MaxPayloadBytes, what);

    private Task<bool> SteerAsync(string instanceId, Message message, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return writer.RunAsync(tables =>
        {
            var instance = tables.Find(instanceId) ?? throw Missing(instanceId);
            if (instance.HasEnded) throw new InvalidOperationException($"The instance '{instanceId}' has ended: it is {instance.Status}.");
            tables.AddMessage(message with { Instance = instance.Key });
            return true;
        });
    }

    private async Task<OrchestrationMetadata> WaitAsync(
        string instanceId, Func<InstanceRow, bool> isThere, bool withPayloads, CancellationToken cancellation)
    {
        var interval = FirstLook;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var change = signals.Next(instanceId);
            var instance = reader.Find(instanceId) ?? throw Missing(instanceId);
            if (isThere(instance)) return instance.ToMetadata(withPayloads);
            if (workerFailure() is { } failure) throw failure;
            try
            {
                await change.WaitAsync(interval, cancellation).ConfigureAwait(false);
                interval = FirstLook;
            }
            catch (TimeoutException)
            {
                interval = interval * 1.5 < LastLook ? interval * 1.5 : LastLook;
            }
        }
    }
}
