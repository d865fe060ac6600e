namespace FunctionsBackup.Tests.Functions;

/// <summary>A clock that stands where it is put; what waits on it waits on the system's timers.</summary>
internal sealed class TestClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
