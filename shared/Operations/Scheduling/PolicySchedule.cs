namespace FunctionsBackup.Operations.Scheduling;

/// <summary>When recovery points of one kind are taken of a component.</summary>
/// <param name="Component">As in the configuration.</param>
/// <param name="Kind"><c>full_backup</c>, <c>incremental</c> or <c>snapshot</c>.</param>
/// <param name="Schedule">In the zone of the configuration.</param>
public sealed record PolicySchedule(string Component, string Kind, Schedule Schedule);

/// <summary>An occurrence of a policy that is to be started.</summary>
/// <param name="Component">As in the configuration.</param>
/// <param name="Kind">As in the configuration.</param>
/// <param name="DueAt">When it was due; it may be past.</param>
public sealed record DuePolicy(string Component, string Kind, DateTimeOffset DueAt);
