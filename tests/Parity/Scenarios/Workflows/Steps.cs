using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Parity.Scenarios.Workflows;

/// <summary>
/// What the code of our orchestrators does, step by step, as the histories of both engines have it: activities, sub-orchestrations, timers,
/// events sent, new rounds, each with its input. A replay must do the same steps again; one that does not is said.
/// </summary>
internal sealed partial class Steps
{
    private readonly List<(string Run, string Instance, List<string> Lines)> _runs = [];

    /// <summary>The context through which an orchestrator of ours is watched.</summary>
    public TaskOrchestrationContext Watch<TInput>(TaskOrchestrationContext context)
    {
        var input = context.GetInput<TInput>();
        return new StepsContext(context, this, $"{context.InstanceId} {JsonSerializer.Serialize(input)}");
    }

    /// <summary>Says all of it, in the order in which the instances began.</summary>
    public void SayTo(Stage stage)
    {
        lock (_runs)
        {
            foreach (var (_, instance, lines) in _runs)
            {
                stage.Say($"steps of {instance}");
                foreach (var line in lines) stage.Say("  " + line);
            }
        }
    }

    /// <summary>What differs from run to run, replaced: the ids of runs, and times.</summary>
    public static string Normal(string? text) => text is null ? "none" : Times().Replace(RunNames().Replace(text, "{run}"), "{time}");

    internal void Note(string run, string instance, int number, string what)
    {
        lock (_runs)
        {
            var lines = _runs.Find(r => r.Run == run).Lines;
            if (lines is null) _runs.Add((run, instance, lines = []));
            var line = Normal(what);
            if (number == lines.Count) lines.Add(line);
            else if (lines[number] != line) lines.Add($"a replay did otherwise: {line} instead of {lines[number]}");
        }
    }

    [GeneratedRegex(@"\b20\d{6}T\d{6}Z-[0-9a-f]{8}\b")]
    private static partial Regex RunNames();

    [GeneratedRegex(@"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")]
    private static partial Regex Times();
}
