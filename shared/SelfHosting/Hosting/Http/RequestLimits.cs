namespace FunctionsBackup.SelfHosting.Hosting.Http;

/// <summary>How many requests there may be at a time: some are worked on, others wait for their turn, more are refused.</summary>
/// <param name="concurrent">Worked on at once; null: as many as come.</param>
/// <param name="outstanding">There at all; null: no limit.</param>
internal sealed class RequestLimits(int? concurrent, int? outstanding) : IDisposable
{
    private readonly SemaphoreSlim? _turns = concurrent is { } count ? new SemaphoreSlim(count, count) : null;
    private int _there;

    /// <summary>Waits for a turn; false: too many are there already. Who got one gives it back with <see cref="Leave"/>.</summary>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    public async ValueTask<bool> TryEnterAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _there) > outstanding)
        {
            Interlocked.Decrement(ref _there);
            return false;
        }

        try
        {
            if (_turns is not null) await _turns.WaitAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            Interlocked.Decrement(ref _there);
            throw;
        }
    }

    public void Leave()
    {
        _turns?.Release();
        Interlocked.Decrement(ref _there);
    }

    public void Dispose() => _turns?.Dispose();
}
