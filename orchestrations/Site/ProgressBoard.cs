using System.Collections.Concurrent;
using FunctionsBackup.Components;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>How far one piece of work in this process is.</summary>
/// <param name="InstanceId">The orchestration that it belongs to.</param>
/// <param name="Component">The component.</param>
/// <param name="Work">The unit, or what is done: <c>voice_data.0003</c>, <c>restore</c>.</param>
/// <param name="Progress">Files and bytes so far and in all.</param>
/// <param name="At">When.</param>
public sealed record BoardEntry(string InstanceId, string Component, string Work, WorkProgress Progress, DateTimeOffset At);

/// <summary>
/// The progress of what runs in this process, as fine as it comes: for whoever looks on in the same process. Others see the custom status.
/// </summary>
public sealed class ProgressBoard(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Instance, string Work), BoardEntry> _entries = new();

    /// <summary>Told of every report, on the thread that reports: must return at once.</summary>
    public event Action<BoardEntry>? Reported;

    public void Report(string instanceId, string component, string work, WorkProgress progress)
    {
        var entry = new BoardEntry(instanceId, component, work, progress, time.GetUtcNow());
        _entries[(instanceId, work)] = entry;
        Reported?.Invoke(entry);
    }

    /// <summary>The work has ended.</summary>
    public void Remove(string instanceId, string work) => _entries.TryRemove((instanceId, work), out _);

    /// <summary>What runs now, of one instance or of all.</summary>
    public IReadOnlyList<BoardEntry> List(string? instanceId = null) =>
        [.. _entries.Values.Where(e => instanceId is null || e.InstanceId == instanceId).OrderBy(e => e.Work, StringComparer.Ordinal)];
}
