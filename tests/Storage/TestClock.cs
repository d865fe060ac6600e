namespace FunctionsBackup.Tests.Storage;

/// <summary>The system's clock, moved.</summary>
internal sealed class TestClock(TimeSpan offset) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + offset;
}
