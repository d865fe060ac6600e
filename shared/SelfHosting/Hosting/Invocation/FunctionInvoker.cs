using System.Reflection;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace FunctionsBackup.SelfHosting.Hosting.Invocation;

/// <summary>Runs one function: makes an instance of its class with services by the constructor, fills in the parameters, and awaits the
/// result. A scope of services and an instance for each run.</summary>
internal sealed class FunctionInvoker
{
    private readonly FunctionDescriptor _function;
    private readonly MethodInvoker _method;
    private readonly Type? _type;
    private readonly Func<Task, object?>? _result;

    /// <exception cref="HostingException">The class has no public constructor.</exception>
    public FunctionInvoker(FunctionDescriptor function)
    {
        _function = function;
        _method = MethodInvoker.Create(function.Method);
        var type = function.Method.ReturnType;
        if (type.IsGenericType && type.BaseType == typeof(Task) && type.GetGenericTypeDefinition() == typeof(Task<>))
        {
            var property = type.GetProperty(nameof(Task<object>.Result))!;
            _result = property.GetValue;
        }

        if (function.Method.IsStatic) return;
        _type = function.Method.DeclaringType!;
        if (_type.GetConstructors().Length == 0)
            throw new HostingException($"{function} is in a class without a public constructor that could be used.");
    }

    public FunctionDescriptor Function => _function;

    /// <param name="services">Of the application.</param>
    /// <param name="trigger">What arrived.</param>
    /// <param name="client">Of the durable engine.</param>
    /// <param name="route">Values of route parameters; null if there are none.</param>
    /// <param name="entered">Told the services of this run before the function begins.</param>
    /// <param name="consume">Makes use of the result while those services are there.</param>
    /// <param name="cancellationToken">Passed on.</param>
    public async Task<object?> RunAsync(
        IServiceProvider services, object? trigger, DurableTaskClient client, Func<FunctionParameter, object?>? route,
        Action<IServiceProvider>? entered, Func<object?, Task>? consume, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        entered?.Invoke(scope.ServiceProvider);
        var instance = Create(scope.ServiceProvider);
        try
        {
            var arguments = new object?[_function.Parameters.Count];
            for (var i = 0; i < arguments.Length; i++)
            {
                var parameter = _function.Parameters[i];
                arguments[i] = parameter.Source switch
                {
                    ParameterSource.Trigger => trigger,
                    ParameterSource.DurableClient => client,
                    ParameterSource.Context => new EmbeddedFunctionContext(_function, scope.ServiceProvider, cancellationToken),
                    ParameterSource.Cancellation => cancellationToken,
                    _ => route!(parameter),
                };
            }

            var returned = _method.Invoke(instance, arguments.AsSpan());
            if (returned is Task task)
            {
                await task;
                returned = _result?.Invoke(task);
            }

            if (consume is not null) await consume(returned);
            return returned;
        }
        finally
        {
            if (instance is IAsyncDisposable asynchronous) await asynchronous.DisposeAsync();
            else (instance as IDisposable)?.Dispose();
        }
    }

    /// <summary>
    /// Runs an orchestrator. Nothing is awaited but its own task, in its own context, and no scope is opened: a run that waits is simply
    /// left, and there would be nobody to close it.
    /// </summary>
    public async Task<object?> OrchestrateAsync(IServiceProvider services, object context)
    {
        var instance = Create(services);
        var arguments = new object?[_function.Parameters.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = _function.Parameters[i].Source == ParameterSource.Trigger
                ? context
                : new EmbeddedFunctionContext(_function, services, CancellationToken.None);
        }

        var returned = _method.Invoke(instance, arguments.AsSpan());
        if (returned is not Task task) return returned;
        await task; // goes on in the orchestrator's own context
        return _result?.Invoke(task);
    }

    /// <summary>By reflection: a compiled factory pays only after many runs, and every start would compile one for each function.</summary>
    private object? Create(IServiceProvider services) => _type is null ? null : ActivatorUtilities.CreateInstance(services, _type);
}
