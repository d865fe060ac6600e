namespace FunctionsBackup.SelfHosting.Hosting.Timers;

/// <summary>Where a timer stands.</summary>
/// <param name="Last">The occurrence that was run last, or when the timer was first seen.</param>
/// <param name="Updated">When that was noted.</param>
public readonly record struct TimerState(DateTimeOffset Last, DateTimeOffset Updated);
