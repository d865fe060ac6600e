using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Hosting.Discovery;

/// <summary>Reads a function off its method and says what is wrong with it.</summary>
internal static class FunctionReader
{
    /// <summary>Null with at least one problem added, if it cannot be a function.</summary>
    public static FunctionDescriptor? Read(MethodInfo method, string name, List<string> problems)
    {
        var before = problems.Count;
        var what = $"The function '{name}' ({method.DeclaringType!.FullName}.{method.Name})";
        if (!IsName(name)) problems.Add($"{what} has a name that cannot be used; begin with a letter and go on with letters, digits, '_' and '-'.");
        if (!method.IsPublic || !method.DeclaringType!.IsVisible) problems.Add($"{what} is not public; make the method and its class public.");
        if (method.IsGenericMethodDefinition || method.DeclaringType!.ContainsGenericParameters)
            problems.Add($"{what} is generic, which functions cannot be.");
        if (!method.IsStatic && method.DeclaringType!.IsAbstract) problems.Add($"{what} is in a class of which there can be no instance; make it static.");
        if (IsValueTask(method.ReturnType)) problems.Add($"{what} returns a ValueTask; return a Task.");
        if (method.ReturnType == typeof(void) && method.GetCustomAttribute<System.Runtime.CompilerServices.AsyncStateMachineAttribute>() is not null)
            problems.Add($"{what} is 'async void', so nobody would know when it ends; return a Task.");

        var triggers = method.GetParameters().SelectMany(p => p.GetCustomAttributes<TriggerBindingAttribute>()).ToList();
        if (triggers.Count != 1)
        {
            problems.Add(triggers.Count == 0
                ? $"{what} has no trigger; put a trigger attribute on the parameter that starts it."
                : $"{what} has {triggers.Count} triggers; keep one.");
            return null;
        }

        if (KindOf(triggers[0]) is not { } kind)
        {
            problems.Add($"{what} has a trigger of the kind {triggers[0].GetType().Name}, which this host does not have.");
            return null;
        }

        var retry = method.GetCustomAttribute<FixedDelayRetryAttribute>();
        if (retry is not null && kind != FunctionKind.Timer) problems.Add($"{what} has a retry attribute, which only timers may have here.");
        if (retry is not null && (retry.MaxRetryCount < -1 || !TimeSpan.TryParse(retry.DelayInterval, out var delay) || delay <= TimeSpan.Zero))
            problems.Add($"{what} has a retry attribute that is not valid; use a count of at least -1 and a delay as \"00:00:10\".");

        var parameters = new List<FunctionParameter>();
        foreach (var parameter in method.GetParameters())
            if (SourceOf(parameter, kind, what, problems) is { } source) parameters.Add(new FunctionParameter(source, parameter));
        return problems.Count == before ? new FunctionDescriptor(name, kind, method, triggers[0], parameters) { Retry = retry } : null;
    }

    private static ParameterSource? SourceOf(ParameterInfo parameter, FunctionKind kind, string what, List<string> problems)
    {
        var type = parameter.ParameterType;
        if (type.IsByRef) return Wrong("is passed by reference; pass it by value.");
        if (parameter.GetCustomAttribute<TriggerBindingAttribute>() is not null)
        {
            // By name: an application without HTTP functions need not load the assemblies of ASP.NET Core.
            var fits = kind switch
            {
                FunctionKind.Orchestrator => type == typeof(TaskOrchestrationContext),
                FunctionKind.Timer => type == typeof(TimerInfo),
                FunctionKind.Http => type.FullName == "Microsoft.AspNetCore.Http.HttpRequest",
                _ => !type.IsPointer && !type.IsByRefLike,
            };
            if (fits) return ParameterSource.Trigger;
            return Wrong(kind switch
            {
                FunctionKind.Orchestrator => "must be a TaskOrchestrationContext.",
                FunctionKind.Timer => "must be a TimerInfo.",
                FunctionKind.Http => "must be an HttpRequest.",
                _ => "has a type that cannot be read from JSON.",
            });
        }

        if (parameter.GetCustomAttribute<DurableClientAttribute>() is not null)
        {
            if (kind == FunctionKind.Orchestrator) return Wrong("is a client, which an orchestrator may not use; call activities.");
            return type == typeof(DurableTaskClient) ? ParameterSource.DurableClient : Wrong("must be a DurableTaskClient.");
        }

        if (type == typeof(FunctionContext)) return ParameterSource.Context;
        if (type == typeof(CancellationToken))
            return kind == FunctionKind.Orchestrator
                ? Wrong("is a CancellationToken, which an orchestrator does not have; wait for an event.")
                : ParameterSource.Cancellation;
        if (kind == FunctionKind.Http) return ParameterSource.Route; // whether the route has it is seen when routes are read
        return Wrong($"of type {type.Name} has no source; services come by the constructor.");

        ParameterSource? Wrong(string problem)
        {
            problems.Add($"{what}: the parameter '{parameter.Name}' {problem}");
            return null;
        }
    }

    private static FunctionKind? KindOf(TriggerBindingAttribute trigger) => trigger switch
    {
        OrchestrationTriggerAttribute => FunctionKind.Orchestrator,
        ActivityTriggerAttribute => FunctionKind.Activity,
        TimerTriggerAttribute => FunctionKind.Timer,
        HttpTriggerAttribute => FunctionKind.Http,
        _ => null,
    };

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= 127 } && char.IsAsciiLetter(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static bool IsValueTask(Type type) =>
        type == typeof(ValueTask) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>));
}
