namespace FunctionsBackup.Storage.Remote;

/// <summary>A request that failed, on its way through the retries.</summary>
/// <param name="error">What the caller sees if this was the last attempt.</param>
/// <param name="retry">Whether the same request may succeed if sent again.</param>
/// <param name="retryAfter">How long the service asked us to wait.</param>
internal sealed class RequestFault(StoreException error, bool retry, TimeSpan? retryAfter = null) : Exception(error.Message, error)
{
    public StoreException Error { get; } = error;

    public bool Retry { get; } = retry;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}
