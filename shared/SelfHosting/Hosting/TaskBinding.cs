using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using FunctionsBackup.SelfHosting.Hosting.Invocation;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Hosting;

/// <summary>Makes orchestrator and activity functions known to the durable engine.</summary>
internal static class TaskBinding
{
    /// <param name="catalog">The functions.</param>
    /// <param name="services">Of the application.</param>
    /// <param name="client">The engine's, which is opened later.</param>
    /// <param name="timeout">How long an activity may run; null: as long as it needs.</param>
    /// <param name="time">For the timeout.</param>
    public static TaskRegistry Register(
        FunctionCatalog catalog, IServiceProvider services, Func<DurableTaskClient> client, TimeSpan? timeout, TimeProvider time)
    {
        var registry = new TaskRegistry();
        foreach (var function in catalog.Of(FunctionKind.Orchestrator))
        {
            var invoker = new FunctionInvoker(function);
            var name = ((OrchestrationTriggerAttribute)function.Trigger).Orchestration ?? function.Name;
            registry.AddOrchestrator(name, TaskVersion.Unversioned, context => invoker.OrchestrateAsync(services, context));
        }

        foreach (var function in catalog.Of(FunctionKind.Activity))
        {
            var invoker = new FunctionInvoker(function);
            var input = function.Parameters.Single(p => p.Source == ParameterSource.Trigger).Type;
            var name = ((ActivityTriggerAttribute)function.Trigger).Activity ?? function.Name;
            registry.AddActivity(name, invocation => RunAsync(invoker, invocation, input));
        }

        return registry;

        async Task<object?> RunAsync(FunctionInvoker invoker, ActivityInvocation invocation, Type input)
        {
            if (timeout is not { } limit)
                return await invoker.RunAsync(
                    services, invocation.GetInput(input), client(), null, null, null, invocation.CancellationToken);
            using var late = new CancellationTokenSource(limit, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(invocation.CancellationToken, late.Token);
            try
            {
                return await invoker.RunAsync(services, invocation.GetInput(input), client(), null, null, null, linked.Token);
            }
            catch (OperationCanceledException e) when (late.IsCancellationRequested && !invocation.CancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException(
                    $"The function '{invoker.Function.Name}' ran longer than {limit}; raise functionTimeout in host.json, or set it to -1.", e);
            }
        }
    }
}
