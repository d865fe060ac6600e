using Polly;
using Polly.Retry;

namespace FunctionsBackup.Storage.Remote;

/// <summary>
/// Sends requests within the limits: so many at once, each and all repetitions together with a deadline, repeated with growing, jittered
/// waits while that can help and never when it cannot.
/// </summary>
/// <param name="limits">The limits.</param>
/// <param name="translate">Turns what the SDK threw into a fault; the second argument is the deed as it follows "Cannot".</param>
/// <param name="time">Gives deadlines and waits.</param>
internal sealed class RequestRunner(RemoteLimits limits, Func<Exception, string, RequestFault> translate, TimeProvider time) : IDisposable
{
    private const int BytesPerSecond = 1 << 20;
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _slots = new(limits.Connections);
    private readonly ResiliencePipeline _pipeline = Build(limits, time);

    /// <summary>Requests that were sent again.</summary>
    public long Repetitions => Interlocked.Read(ref _repetitions);

    private long _repetitions;

    /// <param name="deed">What is tried, as it follows "Cannot": <c>read object packs/ab/…</c>.</param>
    /// <param name="bytes">What the request carries, for its deadline.</param>
    /// <param name="request">One attempt; its number begins with 0.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="StoreException">It did not succeed.</exception>
    public async ValueTask<T> RunAsync<T>(
        string deed, long bytes, Func<int, CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        // Kept through the waits between attempts: a service that is busy gets fewer requests. Time in this queue counts for no deadline.
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RunNowAsync(deed, bytes, request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    public void Dispose() => _slots.Dispose();

    private async ValueTask<T> RunNowAsync<T>(
        string deed, long bytes, Func<int, CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        var allowance = TimeSpan.FromSeconds((double)bytes / BytesPerSecond);
        using var deadline = new CancellationTokenSource(limits.OperationTimeout + allowance, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var attempt = 0;
        StoreException? last = null;
        try
        {
            return await _pipeline.ExecuteAsync(
                async token =>
                {
                    try
                    {
                        return await AttemptAsync(deed, allowance, attempt++, request, token).ConfigureAwait(false);
                    }
                    catch (RequestFault fault)
                    {
                        last = fault.Error;
                        throw;
                    }
                },
                both.Token).ConfigureAwait(false);
        }
        catch (RequestFault fault)
        {
            throw fault.Error;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StoreException(
                $"Cannot {deed}: it was not done within {(limits.OperationTimeout + allowance).TotalSeconds:0} s"
                + (last is null ? "" : $" (last: {last.Message.TrimEnd('.')})")
                + "; look at the network and the service, or raise storage.operation_timeout.",
                last, transient: true);
        }
        finally
        {
            if (attempt > 1) Interlocked.Add(ref _repetitions, attempt - 1);
        }
    }

    private async Task<T> AttemptAsync<T>(
        string deed, TimeSpan allowance, int attempt, Func<int, CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(limits.RequestTimeout + allowance, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await request(attempt, both.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested && e is not StoreException)
        {
            throw new RequestFault(
                new StoreException(
                    $"Cannot {deed}: the service did not answer within {(limits.RequestTimeout + allowance).TotalSeconds:0} s; "
                    + "look at the network and the service, or raise storage.request_timeout.",
                    e, transient: true),
                retry: true);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not (StoreException or RequestFault))
        {
            throw translate(e, deed);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not OperationCanceledException)
        {
            // An SDK that was cancelled on the way may say so in its own words.
            throw new OperationCanceledException("The request was cancelled.", e, cancellationToken);
        }
    }

    private static ResiliencePipeline Build(RemoteLimits limits, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (limits.Attempts == 1) return builder.Build();
        return builder.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<RequestFault>(fault => fault.Retry),
            MaxRetryAttempts = limits.Attempts - 1,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = limits.FirstDelay,
            MaxDelay = limits.LongestDelay,
            // What the service asks for, within reason; null: the growing wait.
            DelayGenerator = static arguments => ValueTask.FromResult(
                arguments.Outcome.Exception is RequestFault { RetryAfter: { } wait } && wait > TimeSpan.Zero && wait <= LongestRetryAfter
                    ? wait
                    : (TimeSpan?)null),
        }).Build();
    }
}
