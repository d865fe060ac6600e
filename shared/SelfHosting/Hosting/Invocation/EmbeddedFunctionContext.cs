using FunctionsBackup.SelfHosting.Hosting.Discovery;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.SelfHosting.Hosting.Invocation;

/// <summary>One invocation, as a function sees it.</summary>
internal sealed class EmbeddedFunctionContext(
    FunctionDescriptor function, IServiceProvider services, CancellationToken cancellationToken) : FunctionContext
{
    public override string InvocationId { get; } = Guid.NewGuid().ToString("N");

    public override string FunctionId => function.Name;

    public override IServiceProvider InstanceServices { get; set; } = services;

    public override FunctionDefinition FunctionDefinition { get; } = new Definition(function);

    public override IDictionary<object, object> Items { get; set; } = new Dictionary<object, object>();

    public override CancellationToken CancellationToken => cancellationToken;

    private sealed class Definition(FunctionDescriptor function) : FunctionDefinition
    {
        public override string Id => function.Name;

        public override string Name => function.Name;

        public override string EntryPoint => function.EntryPoint;
    }
}
