using FunctionsBackup.Orchestrations.Instances;
using Microsoft.DurableTask;
using Moq;

namespace FunctionsBackup.Tests.Orchestrations;

/// <summary>A mocked orchestration: activities answer what the test says, events come when the test says.</summary>
internal sealed class MockContext
{
    private readonly Mock<TaskOrchestrationContext> _mock = new();
    private TaskCompletionSource<Heartbeat> _heartbeat = new();

    public MockContext(object input, string instanceId = "backup-all-20261125T221530Z-5ca6")
    {
        _mock.Setup(c => c.InstanceId).Returns(instanceId);
        _mock.Setup(c => c.CurrentUtcDateTime).Returns(() => Now);
        _mock.Setup(c => c.NewGuid()).Returns(new Guid("5ca60a03-0000-0000-0000-000000000000"));
        _mock.Setup(c => c.SetCustomStatus(It.IsAny<object>())).Callback<object?>(s => Statuses.Add(s!));
        _mock.Setup(c => c.WaitForExternalEvent<string>(InstanceEvents.Cancel, It.IsAny<CancellationToken>())).Returns(() => Cancel.Task);
        _mock.Setup(c => c.WaitForExternalEvent<Heartbeat>(InstanceEvents.Heartbeat, It.IsAny<CancellationToken>())).Returns(() => _heartbeat.Task);
        _mock.Setup(c => c.SendEvent(It.IsAny<string>(), It.IsAny<string>(), It.IsAny<object>()))
            .Callback<string, string, object>((id, name, _) => Sent.Add((id, name)));
        _mock.Setup(c => c.ContinueAsNew(It.IsAny<object>(), It.IsAny<bool>())).Callback<object?, bool>((i, _) => ContinuedWith = i);
        _mock.Setup(c => c.CreateTimer(It.IsAny<DateTime>(), It.IsAny<CancellationToken>())).Returns<DateTime, CancellationToken>((at, _) =>
        {
            Timers.Add(at - Now);
            return Task.CompletedTask;
        });
        _mock.Setup(c => c.CreateTimer(It.IsAny<TimeSpan>(), It.IsAny<CancellationToken>())).Returns<TimeSpan, CancellationToken>((delay, _) =>
        {
            Timers.Add(delay);
            return Task.CompletedTask;
        });
        Input(input);
    }

    public DateTime Now { get; set; } = new(2026, 11, 25, 22, 15, 30, DateTimeKind.Utc);

    public TaskCompletionSource<string> Cancel { get; } = new();

    public List<object> Statuses { get; } = [];

    public List<(string Name, object? Input, TaskOptions? Options)> Calls { get; } = [];

    public List<(string Instance, string Event)> Sent { get; } = [];

    public List<TimeSpan> Timers { get; } = [];

    public object? ContinuedWith { get; private set; }

    public TaskOrchestrationContext Object => _mock.Object;

    public MockContext Activity<TIn, TOut>(string name, Func<TIn, Task<TOut>> run)
    {
        _mock.Setup(c => c.CallActivityAsync<TOut>(It.Is<TaskName>(n => n.Name == name), It.IsAny<object>(), It.IsAny<TaskOptions>()))
            .Returns<TaskName, object?, TaskOptions?>((_, input, options) =>
            {
                Calls.Add((name, input, options));
                return run((TIn)input!);
            });
        return this;
    }

    public MockContext Activity<TIn, TOut>(string name, Func<TIn, TOut> run) => Activity<TIn, TOut>(name, input => Task.FromResult(run(input)));

    public MockContext SubOrchestrator<TIn, TOut>(string name, Func<TIn, Task<TOut>> run)
    {
        _mock.Setup(c => c.CallSubOrchestratorAsync<TOut>(It.Is<TaskName>(n => n.Name == name), It.IsAny<object>(), It.IsAny<TaskOptions>()))
            .Returns<TaskName, object?, TaskOptions?>((_, input, options) =>
            {
                Calls.Add((name, input, options));
                return run((TIn)input!);
            });
        return this;
    }

    public void Beat(Heartbeat heartbeat)
    {
        var waiting = _heartbeat;
        _heartbeat = new TaskCompletionSource<Heartbeat>();
        waiting.SetResult(heartbeat);
    }

    public int CountOf(string activity) => Calls.Count(c => c.Name == activity);

    public static TaskFailedException Failed(string activity, string message) => new(
        activity, 1, new TaskFailureDetails("System.IO.IOException", message, null, null, null));

    private void Input(object input)
    {
        var setup = typeof(MockContext).GetMethod(nameof(SetInput), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!;
        setup.MakeGenericMethod(input.GetType()).Invoke(this, [input]);
    }

    private void SetInput<T>(T input) => _mock.Setup(c => c.GetInput<T>()).Returns(input);
}
