using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>
/// Where a scenario plays: it declares orchestrators and activities, drives them through a client and says what it sees. The same scenario
/// plays on the embedded engine and on the real framework; what was said must be equal.
/// </summary>
internal abstract partial class Stage : IAsyncDisposable
{
    /// <summary>Longer than anything that goes well; what waits longer hangs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentQueue<string> _said = new();
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _starting = new(1, 1);
    private DurableTaskClient? _client;

    /// <summary>All that was said, in order; ids that differ from run to run are replaced.</summary>
    public IReadOnlyList<string> Said => [.. _said];

    public abstract void Orchestrator<TOutput>(string name, Func<TaskOrchestrationContext, Task<TOutput>> code);

    [OverloadResolutionPriority(1)] // A lambda that only throws would fit both.
    public abstract void Activity<TInput, TOutput>(string name, Func<TInput, Task<TOutput>> code);

    public void Orchestrator<TInput, TOutput>(string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> code) =>
        Orchestrator(name, context => code(context, context.GetInput<TInput>()!));

    public void Activity<TInput, TOutput>(string name, Func<TInput, TOutput> code) =>
        Activity<TInput, TOutput>(name, input => Task.FromResult(code(input)));

    /// <summary>How often each category's replay-safe loggers and others were written to.</summary>
    public void Log(string message) => Count("log " + message);

    /// <summary>Starts the host with all that was declared.</summary>
    public async Task<DurableTaskClient> ClientAsync()
    {
        await _starting.WaitAsync();
        try
        {
            return _client ??= await StartAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    protected abstract Task<DurableTaskClient> StartAsync();

    public abstract ValueTask DisposeAsync();

    public void Say(string what) => _said.Enqueue(Normal(what));

    /// <summary>Counts what may happen in any order; said at the end by <see cref="SayCounts"/>.</summary>
    public int Count(string what) => _counts.AddOrUpdate(what, 1, (_, n) => n + 1);

    public int CountOf(string what) => _counts.GetValueOrDefault(what);

    public void SayCounts()
    {
        foreach (var (what, n) in _counts.OrderBy(c => c.Key, StringComparer.Ordinal)) Say($"{what} ×{n}");
    }

    /// <summary>Ends when <see cref="Open"/> was called for it.</summary>
    public Task Gate(string name) => GateOf(name).Task.WaitAsync(Patience);

    public void Open(string name) => GateOf(name).TrySetResult();

    private TaskCompletionSource GateOf(string name) =>
        _gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public async Task<string> Start(string orchestrator, object? input = null, StartOrchestrationOptions? options = null) =>
        await (await ClientAsync()).ScheduleNewOrchestrationInstanceAsync(orchestrator, input, options);

    /// <summary>Starts under a given id.</summary>
    public Task<string> StartAs(string id, string orchestrator, object? input = null) =>
        Start(orchestrator, input, new StartOrchestrationOptions(id));

    public async Task Run(string orchestrator, object? input = null, StartOrchestrationOptions? options = null) =>
        await End(await Start(orchestrator, input, options));

    /// <summary>Waits until the instance has ended, and says how.</summary>
    public async Task End(string id, string label = "ended")
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            SayState(await (await ClientAsync()).WaitForInstanceCompletionAsync(id, true, patience.Token), label);
        }
        catch (OperationCanceledException)
        {
            Say($"{label}: never");
        }
    }

    /// <summary>Says an instance's state as it is now.</summary>
    public async Task Look(string id, string label = "now") => SayState(await (await ClientAsync()).GetInstanceAsync(id, true), label);

    /// <summary>Says how it ended, or how it is after a while: for what may hang for ever.</summary>
    public async Task EndOrNot(string id)
    {
        await Reached(id, m => m?.IsCompleted == true, TimeSpan.FromSeconds(15));
        await Look(id, "a while later");
    }

    /// <summary>Waits until the instance is as asked.</summary>
    public async Task<OrchestrationMetadata?> Until(string id, Func<OrchestrationMetadata?, bool> condition)
    {
        var state = await Reached(id, condition, Patience);
        if (state is null) Say($"{id}: was never as awaited");
        return state;
    }

    private async Task<OrchestrationMetadata?> Reached(string id, Func<OrchestrationMetadata?, bool> condition, TimeSpan patience)
    {
        var client = await ClientAsync();
        for (var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds; Environment.TickCount64 < deadline;)
        {
            var state = await client.GetInstanceAsync(id, true);
            if (condition(state)) return state;
            await Task.Delay(10);
        }

        return null;
    }

    public Task<OrchestrationMetadata?> Until(string id, OrchestrationRuntimeStatus status) => Until(id, m => m?.RuntimeStatus == status);

    /// <summary>Waits until the instance has set this custom status (a string).</summary>
    public Task<OrchestrationMetadata?> UntilStatus(string id, string status) =>
        Until(id, m => m?.SerializedCustomStatus == $"\"{status}\"");

    /// <summary>Says what a call throws.</summary>
    public async Task Try(string label, Func<DurableTaskClient, Task> call)
    {
        try
        {
            await call(await ClientAsync()).WaitAsync(Patience);
            Say($"{label}: fine");
        }
        catch (Exception e)
        {
            Say($"{label}: {Describe(e)}");
        }
    }

    public static string Describe(Exception e) => e switch
    {
        TaskFailedException failed => $"{failed.GetType().Name} '{failed.Message}' task={failed.TaskName}#{failed.TaskId} " +
            $"details=[{Describe(failed.FailureDetails)}]",
        OperationCanceledException => e.GetType().Name, // with what inside depends on who was quicker
        _ => $"{e.GetType().Name} '{e.Message}'" + (e.InnerException is { } inner ? $" inner={Describe(inner)}" : string.Empty),
    };

    public static string Describe(TaskFailureDetails? details) =>
        details is null ? "none" : $"{details.ErrorType} '{details.ErrorMessage}'" +
            (details.InnerFailure is { } inner ? $" ← {Describe(inner)}" : string.Empty);

    public void SayState(OrchestrationMetadata? state, string label)
    {
        if (state is null)
        {
            Say($"{label}: no such instance");
            return;
        }

        Say(string.Create(CultureInfo.InvariantCulture, $"{label}: {state.Name} {state.RuntimeStatus}") +
            Part("input", state.SerializedInput) +
            // What a failed one's output holds is the backend's matter: the failure's message, or nothing.
            (state.RuntimeStatus == OrchestrationRuntimeStatus.Failed ? string.Empty : Part("output", state.SerializedOutput)) +
                Part("custom", state.SerializedCustomStatus) +
            (state.FailureDetails is { } failure ? $" failure=[{Describe(failure)}]" : string.Empty));

        static string Part(string name, string? json) =>
            json is null ? string.Empty : $" {name}={(json.Length > 1500 ? $"({json.Length} characters)" : json)}";
    }

    private static string Normal(string text) =>
        Guids().Replace(Escapes().Replace(text, e => ((char)Convert.ToInt32(e.Groups[1].Value, 16)).ToString()), "{id}")
            .ReplaceLineEndings("⏎").Replace("FunctionsBackup.Tests.Parity.Scenarios.", string.Empty, StringComparison.Ordinal);

    [GeneratedRegex(@"\\u([0-9A-Fa-f]{4})")]
    private static partial Regex Escapes();

    [GeneratedRegex(@"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{12}\b")]
    private static partial Regex Guids();
}
