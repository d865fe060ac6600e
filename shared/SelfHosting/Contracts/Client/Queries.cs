namespace Microsoft.DurableTask.Client;

/// <summary>Which instances.</summary>
public record OrchestrationQuery(
    DateTimeOffset? CreatedFrom = null, DateTimeOffset? CreatedTo = null, IEnumerable<OrchestrationRuntimeStatus>? Statuses = null,
    IEnumerable<string>? TaskHubNames = null, string? InstanceIdPrefix = null, int PageSize = OrchestrationQuery.DefaultPageSize,
    bool FetchInputsAndOutputs = false, string? ContinuationToken = null)
{
    public const int DefaultPageSize = 100;
}

/// <param name="Recursive">Also its sub-orchestrations.</param>
public record PurgeInstanceOptions(bool Recursive = false);

/// <summary>Which ended instances to purge.</summary>
public record PurgeInstancesFilter(
    DateTimeOffset? CreatedFrom = null, DateTimeOffset? CreatedTo = null, IEnumerable<OrchestrationRuntimeStatus>? Statuses = null);

/// <summary>How many were purged.</summary>
public class PurgeResult(int count)
{
    public int PurgedInstanceCount { get; } = count;
}

/// <param name="Output">Recorded as the instance's output.</param>
/// <param name="Recursive">Also its sub-orchestrations.</param>
public record TerminateInstanceOptions(object? Output = null, bool Recursive = false);
