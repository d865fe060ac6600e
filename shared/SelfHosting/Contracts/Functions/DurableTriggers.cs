using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>The function orchestrates; the parameter is a TaskOrchestrationContext.</summary>
public sealed class OrchestrationTriggerAttribute : TriggerBindingAttribute
{
    /// <summary>Null: the function's name.</summary>
    public string? Orchestration { get; set; }
}

/// <summary>The function is an activity; the parameter is its input.</summary>
public sealed class ActivityTriggerAttribute : TriggerBindingAttribute
{
    /// <summary>Null: the function's name.</summary>
    public string? Activity { get; set; }
}

/// <summary>The parameter is a DurableTaskClient.</summary>
public sealed class DurableClientAttribute : InputBindingAttribute
{
    public string? TaskHub { get; set; }

    public string? ConnectionName { get; set; }
}
