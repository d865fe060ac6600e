using System.Text.Json;

namespace Microsoft.DurableTask.Client;

/// <summary>An instance as a query sees it.</summary>
public sealed class OrchestrationMetadata(string name, string instanceId)
{
    /// <summary>As the serializer of the Functions worker, which leaves fields out.</summary>
    internal static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };

    public string Name { get; } = name;

    public string InstanceId { get; } = instanceId;

    public OrchestrationRuntimeStatus RuntimeStatus { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset LastUpdatedAt { get; init; }

    /// <summary>JSON; null unless asked for.</summary>
    public string? SerializedInput { get; init; }

    /// <summary>JSON; null unless asked for and completed.</summary>
    public string? SerializedOutput { get; init; }

    /// <summary>JSON; null unless asked for and set.</summary>
    public string? SerializedCustomStatus { get; init; }

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether inputs and outputs were asked for.</summary>
    internal bool HasPayloads { get; init; } = true;

    /// <summary>Null unless it failed and inputs and outputs were asked for.</summary>
    public TaskFailureDetails? FailureDetails { get; init; }

    public bool IsRunning => RuntimeStatus == OrchestrationRuntimeStatus.Running;

    public bool IsCompleted =>
        RuntimeStatus is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    /// <exception cref="InvalidOperationException">Inputs and outputs were not asked for.</exception>
    public T? ReadInputAs<T>() => Read<T>(SerializedInput);

    /// <inheritdoc cref="ReadInputAs{T}"/>
    public T? ReadOutputAs<T>() => Read<T>(SerializedOutput);

    /// <inheritdoc cref="ReadInputAs{T}"/>
    public T? ReadCustomStatusAs<T>() => Read<T>(SerializedCustomStatus);

    private T? Read<T>(string? json)
    {
        if (!HasPayloads) throw new InvalidOperationException($"Ask for inputs and outputs to read those of '{InstanceId}'.");
        return json is null ? default : JsonSerializer.Deserialize<T>(json, Json);
    }
}

/// <summary>Where an instance stands.</summary>
public enum OrchestrationRuntimeStatus
{
    Running = 0,
    Completed = 1,
    ContinuedAsNew = 2,
    Failed = 3,
    Canceled = 4,
    Terminated = 5,
    Pending = 6,
    Suspended = 7,
}
