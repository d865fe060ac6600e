using System.Reflection;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Engine;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Orchestrations.Host;

/// <summary>Finds the orchestrators and activities by their attributes and gives them to an engine.</summary>
public static class FunctionRegistration
{
    /// <param name="site">What activities are made with.</param>
    /// <param name="client">The engine's client, once there is one.</param>
    /// <param name="before">Runs before each activity: holds it up, or counts.</param>
    public static TaskRegistry Create(BackupSite site, Func<DurableTaskClient> client, Func<ActivityInvocation, Task>? before = null)
    {
        var registry = new TaskRegistry();
        foreach (var type in typeof(BackupSite).Assembly.GetTypes())
            foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            {
                if (method.GetCustomAttribute<FunctionAttribute>() is not { } function) continue;
                if (method.GetParameters().Any(p => p.IsDefined(typeof(OrchestrationTriggerAttribute))))
                    registry.AddOrchestrator(function.Name, TaskVersion.Unversioned, context => RunAsync(method, null, [context]));
                else
                    registry.AddActivity(function.Name, async call =>
                    {
                        if (before is not null) await before(call);
                        return await RunAsync(
                            method, method.IsStatic ? null : Activator.CreateInstance(type, site),
                            [.. method.GetParameters().Select(p => p switch
                            {
                                _ when p.IsDefined(typeof(ActivityTriggerAttribute)) => call.GetInput(p.ParameterType),
                                _ when p.ParameterType == typeof(DurableTaskClient) => client(),
                                _ => (object?)call.CancellationToken,
                            })]);
                    });
            }

        return registry;
    }

    private static async Task<object?> RunAsync(MethodInfo method, object? target, object?[] arguments)
    {
        var task = (Task)method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
        await task;
        return task.GetType().GetProperty("Result")?.GetValue(task);
    }
}
