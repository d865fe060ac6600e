using System.Collections.Concurrent;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.SelfHosting.Engine;

namespace FunctionsBackup.Tests.Orchestrations.Engine;

/// <summary>Lets the first units of files of a backup through and holds the others, so that a test finds it in the middle.</summary>
/// <param name="through">How many.</param>
/// <param name="inFlight">How many are held when it is in the middle.</param>
internal sealed class HeldUnits(int through, int inFlight)
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _middle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _begun = new();
    private int _count;

    /// <summary>Units by name, as often as they began.</summary>
    public IReadOnlyList<string> Begun => [.. _begun];

    /// <summary>Those that were let through are done, and others stand still.</summary>
    public Task Middle => _middle.Task.WaitAsync(TimeSpan.FromMinutes(3));

    public void Release() => _released.TrySetResult();

    public async Task BeforeAsync(ActivityInvocation call)
    {
        if (call.Name != nameof(StoreFilesUnit)) return;
        _begun.Enqueue(call.GetInput<UnitRequest>()!.Unit);
        var number = Interlocked.Increment(ref _count);
        if (number <= through) return;
        if (number == through + inFlight) _middle.TrySetResult();
        await _released.Task.WaitAsync(call.CancellationToken);
    }
}
