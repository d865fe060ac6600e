using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>
/// How activities are tried again. What is of no use to try again, an activity returns as data (<see cref="Failure"/>); so whatever it
/// throws is worth it.
/// </summary>
internal static class Retrying
{
    /// <summary>Four attempts with growing waits: after 5 s, 15 s, 45 s.</summary>
    public static TaskOptions Default { get; } = new(new RetryPolicy(4, TimeSpan.FromSeconds(5), 3, TimeSpan.FromMinutes(2)));

    /// <summary>For what is to be done once only: a restore goes on where it was left by being asked for with delta.</summary>
    public static TaskOptions Once { get; } = new();
}
