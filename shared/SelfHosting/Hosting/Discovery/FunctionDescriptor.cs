using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace FunctionsBackup.SelfHosting.Hosting.Discovery;

/// <summary>A method that is a function, checked.</summary>
/// <param name="Name">Unique without regard to case.</param>
/// <param name="Kind">What starts it.</param>
/// <param name="Method">Public, in a public class.</param>
/// <param name="Trigger">The attribute of its trigger parameter.</param>
/// <param name="Parameters">In the order of the method's.</param>
public sealed record FunctionDescriptor(
    string Name, FunctionKind Kind, MethodInfo Method, TriggerBindingAttribute Trigger, IReadOnlyList<FunctionParameter> Parameters)
{
    /// <summary>Type and method: <c>Namespace.Type.Method</c>.</summary>
    public string EntryPoint => $"{Method.DeclaringType!.FullName}.{Method.Name}";

    /// <summary>Null: a failure is final.</summary>
    public FixedDelayRetryAttribute? Retry { get; init; }

    public override string ToString() => $"The function '{Name}' ({EntryPoint})";
}

/// <summary>Where a parameter's value comes from.</summary>
public enum ParameterSource
{
    /// <summary>What arrived: an input, a request, an orchestration's context, a timer's facts.</summary>
    Trigger,

    /// <summary>A client of the durable engine.</summary>
    DurableClient,

    /// <summary>The invocation.</summary>
    Context,

    /// <summary>Cancelled when the host stops or the request is given up.</summary>
    Cancellation,

    /// <summary>A value of the request's route, by the parameter's name.</summary>
    Route,
}

/// <param name="Source">Where the value comes from.</param>
/// <param name="Parameter">The method's.</param>
public sealed record FunctionParameter(ParameterSource Source, ParameterInfo Parameter)
{
    public Type Type => Parameter.ParameterType;

    public string Name => Parameter.Name!;
}
