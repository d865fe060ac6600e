namespace Microsoft.Azure.Functions.Worker;

/// <summary>A function that fails is run again for the same trigger (Microsoft.Azure.Functions.Worker.Extensions.Abstractions).</summary>
public abstract class RetryAttribute : Attribute
{
    /// <summary>-1: until it succeeds.</summary>
    public int MaxRetryCount { get; protected set; }
}

/// <summary>Runs it again after a fixed time.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FixedDelayRetryAttribute : RetryAttribute
{
    /// <param name="maxRetryCount">-1: until it succeeds.</param>
    /// <param name="delayInterval"><c>hh:mm:ss</c>.</param>
    public FixedDelayRetryAttribute(int maxRetryCount, string delayInterval)
    {
        MaxRetryCount = maxRetryCount;
        DelayInterval = delayInterval;
    }

    public string DelayInterval { get; }
}
