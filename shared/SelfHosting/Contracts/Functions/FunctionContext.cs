namespace Microsoft.Azure.Functions.Worker;

/// <summary>One invocation of a function.</summary>
public abstract class FunctionContext
{
    public abstract string InvocationId { get; }

    public abstract string FunctionId { get; }

    /// <summary>Services of this invocation.</summary>
    public abstract IServiceProvider InstanceServices { get; set; }

    public abstract FunctionDefinition FunctionDefinition { get; }

    public abstract IDictionary<object, object> Items { get; set; }

    /// <summary>Cancelled when the host stops.</summary>
    public virtual CancellationToken CancellationToken { get; }
}

/// <summary>What is known of a function.</summary>
public abstract class FunctionDefinition
{
    public abstract string Id { get; }

    public abstract string Name { get; }

    /// <summary>Type and method: <c>Namespace.Type.Method</c>.</summary>
    public abstract string EntryPoint { get; }
}
