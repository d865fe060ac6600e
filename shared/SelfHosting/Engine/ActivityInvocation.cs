using FunctionsBackup.SelfHosting.Engine.Payloads;

namespace FunctionsBackup.SelfHosting.Engine;

/// <summary>One run of an activity.</summary>
/// <param name="Name">Of the activity, as it was called.</param>
/// <param name="InstanceId">Of the orchestration that called it.</param>
/// <param name="TaskId">Number of the call in that orchestration.</param>
/// <param name="SerializedInput">JSON; null if it was called without.</param>
/// <param name="CancellationToken">Cancelled when the instance is terminated or removed, and at the end of a stop's grace time.</param>
public sealed record ActivityInvocation(
    string Name, string InstanceId, long TaskId, string? SerializedInput, CancellationToken CancellationToken)
{
    /// <exception cref="System.Text.Json.JsonException">The input is no such thing.</exception>
    public object? GetInput(Type type) => Payload.Deserialize(SerializedInput, type);

    /// <inheritdoc cref="GetInput(Type)"/>
    public T? GetInput<T>() => Payload.Deserialize<T>(SerializedInput);
}
