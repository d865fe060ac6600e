using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>Starts and finds orchestration instances so that each piece of work is done once.</summary>
public static class Instance
{
    /// <summary>An instance in one of these has not ended.</summary>
    public static IReadOnlyList<OrchestrationRuntimeStatus> Live { get; } =
    [
        OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended,
    ];

    /// <summary>In whatever state an instance of that id is, it is kept.</summary>
    private static readonly string[] KeepAny =
    [
        nameof(OrchestrationRuntimeStatus.Running), nameof(OrchestrationRuntimeStatus.Pending), nameof(OrchestrationRuntimeStatus.Suspended),
        nameof(OrchestrationRuntimeStatus.Completed), nameof(OrchestrationRuntimeStatus.Failed), nameof(OrchestrationRuntimeStatus.Terminated),
    ];

    /// <summary>One that has not ended is kept.</summary>
    private static readonly string[] KeepLive =
    [
        nameof(OrchestrationRuntimeStatus.Running), nameof(OrchestrationRuntimeStatus.Pending), nameof(OrchestrationRuntimeStatus.Suspended),
    ];

    /// <summary>Starts an instance unless there is, or was, one of that id.</summary>
    public static async Task<StartResult> StartOnceAsync(
        DurableTaskClient client, TaskName orchestrator, object? input, string instanceId, CancellationToken cancellationToken)
    {
        if (await client.GetInstanceAsync(instanceId, cancellationToken) is not null) return new StartResult(instanceId, false);
        try
        {
            var options = new StartOrchestrationOptions(instanceId) { DedupeStatuses = KeepAny };
            await client.ScheduleNewOrchestrationInstanceAsync(orchestrator, input, options, cancellationToken);
            return new StartResult(instanceId, true);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Backends refuse a second start each in their own way; whether there is an instance now is what counts.
            if (await client.GetInstanceAsync(instanceId, cancellationToken) is null) throw;
            return new StartResult(instanceId, false);
        }
    }

    /// <summary>Starts the one instance of that id, unless it has not ended.</summary>
    public static async Task<StartResult> StartSingletonAsync(
        DurableTaskClient client, TaskName orchestrator, object? input, string instanceId, CancellationToken cancellationToken)
    {
        if (await client.GetInstanceAsync(instanceId, cancellationToken) is { IsCompleted: false }) return new StartResult(instanceId, false);
        try
        {
            var options = new StartOrchestrationOptions(instanceId) { DedupeStatuses = KeepLive };
            await client.ScheduleNewOrchestrationInstanceAsync(orchestrator, input, options, cancellationToken);
            return new StartResult(instanceId, true);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (await client.GetInstanceAsync(instanceId, cancellationToken) is not { IsCompleted: false }) throw;
            return new StartResult(instanceId, false);
        }
    }

    /// <summary>Instances that have not ended, whose ids begin with <paramref name="prefix"/>, with inputs and custom statuses; oldest first.</summary>
    public static async Task<IReadOnlyList<OrchestrationMetadata>> ListLiveAsync(
        DurableTaskClient client, string prefix, CancellationToken cancellationToken)
    {
        var found = new List<OrchestrationMetadata>();
        var query = new OrchestrationQuery(Statuses: Live, InstanceIdPrefix: prefix, FetchInputsAndOutputs: true);
        await foreach (var instance in client.GetAllInstancesAsync(query).WithCancellation(cancellationToken))
            if (!instance.IsCompleted && instance.InstanceId.StartsWith(prefix, StringComparison.Ordinal)) found.Add(instance);
        found.Sort(OldestFirst);
        return found;
    }

    /// <summary>Has an instance end in order. One that is suspended goes on for that: before, it hears nothing.</summary>
    public static async Task CancelAsync(DurableTaskClient client, string instanceId, string reason, CancellationToken cancellationToken)
    {
        await client.RaiseEventAsync(instanceId, InstanceEvents.Cancel, reason, cancellationToken);
        if (await client.GetInstanceAsync(instanceId, cancellationToken) is { RuntimeStatus: OrchestrationRuntimeStatus.Suspended })
            await client.ResumeInstanceAsync(instanceId, reason, cancellationToken);
    }

    /// <summary>By time of creation, then by id: the same for whoever looks.</summary>
    public static int OldestFirst(OrchestrationMetadata a, OrchestrationMetadata b) =>
        a.CreatedAt.UtcTicks != b.CreatedAt.UtcTicks
            ? a.CreatedAt.UtcTicks.CompareTo(b.CreatedAt.UtcTicks)
            : string.CompareOrdinal(a.InstanceId, b.InstanceId);
}
