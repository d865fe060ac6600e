using Microsoft.DurableTask;

namespace FunctionsBackup.SelfHosting.Engine;

/// <summary>
/// What can be run: orchestrators by name and version, activities by name; names without regard to case. Filled before the engine opens.
/// </summary>
public sealed class TaskRegistry
{
    private readonly Dictionary<string, SortedList<string, Func<TaskOrchestrationContext, Task<object?>>>> _orchestrators =
        new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, Func<ActivityInvocation, Task<object?>>> _activities = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="name">As callers name it.</param>
    /// <param name="version">Empty: none. Instances keep the version that they were started with.</param>
    /// <param name="run">The orchestrator's code: deterministic.</param>
    /// <exception cref="ArgumentException">The name has no text, or this version of it is there already.</exception>
    public void AddOrchestrator(TaskName name, TaskVersion version, Func<TaskOrchestrationContext, Task<object?>> run)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name.Name, nameof(name));
        ArgumentNullException.ThrowIfNull(run);
        if (!_orchestrators.TryGetValue(name.Name, out var versions))
            _orchestrators[name.Name] = versions = new(VersionComparer.Instance);
        if (!versions.TryAdd(version, run))
            throw new ArgumentException($"The orchestrator '{name}' is there twice in version '{version}'.", nameof(name));
    }

    /// <param name="name">As orchestrators call it.</param>
    /// <param name="run">May run more than once for one call: idempotent.</param>
    /// <exception cref="ArgumentException">The name has no text or is there already.</exception>
    public void AddActivity(TaskName name, Func<ActivityInvocation, Task<object?>> run)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name.Name, nameof(name));
        ArgumentNullException.ThrowIfNull(run);
        if (!_activities.TryAdd(name.Name, run))
            throw new ArgumentException($"The activity '{name}' is there twice.", nameof(name));
    }

    internal Func<ActivityInvocation, Task<object?>>? FindActivity(string name) => _activities.GetValueOrDefault(name);

    /// <param name="name">Which orchestrator.</param>
    /// <param name="version">
    /// Null: the newest. A version is looked up exactly; only an orchestrator that has no versions at all serves any.
    /// </param>
    internal RegisteredOrchestrator? FindOrchestrator(string name, string? version)
    {
        if (!_orchestrators.TryGetValue(name, out var versions)) return null;
        if (version is null)
        {
            var last = versions.Count - 1;
            return new(versions.GetKeyAtIndex(last), versions.GetValueAtIndex(last));
        }

        if (versions.TryGetValue(version, out var run)) return new(version, run);
        return versions.Count == 1 && versions.TryGetValue(string.Empty, out run) ? new(version, run) : null;
    }

    /// <summary>Why <see cref="FindOrchestrator"/> found nothing.</summary>
    internal string ExplainMissing(string name, string? version) => _orchestrators.TryGetValue(name, out var versions)
        ? $"The orchestrator '{name}' has no version '{version}' here, only {string.Join(", ", versions.Keys.Select(v => $"'{v}'"))}."
        : $"There is no orchestrator named '{name}'; it may have been renamed or removed since this was started.";

    /// <summary>By the numbers between dots, then by the text: 1.9 is before 1.10; no version is the oldest.</summary>
    internal sealed class VersionComparer : IComparer<string>
    {
        public static readonly VersionComparer Instance = new();

        public int Compare(string? x, string? y)
        {
            string[] a = (x ?? string.Empty).Split('.'), b = (y ?? string.Empty).Split('.');
            for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
            {
                var byNumber = long.TryParse(a[i], out var m) && long.TryParse(b[i], out var n) ? m.CompareTo(n) : 0;
                var order = byNumber != 0 ? byNumber : string.Compare(a[i], b[i], StringComparison.OrdinalIgnoreCase);
                if (order != 0) return order;
            }

            return a.Length.CompareTo(b.Length);
        }
    }
}

/// <param name="Version">That it runs as.</param>
/// <param name="Run">Its code.</param>
internal sealed record RegisteredOrchestrator(string Version, Func<TaskOrchestrationContext, Task<object?>> Run);
