namespace FunctionsBackup.Storage.Remote;

/// <summary>Lets one at a time use a key.</summary>
internal sealed class KeyedLocks
{
    private readonly Dictionary<string, (SemaphoreSlim Lock, int Users)> _locks = new(StringComparer.Ordinal);

    public async ValueTask<IDisposable> EnterAsync(string key, CancellationToken cancellationToken)
    {
        SemaphoreSlim one;
        lock (_locks)
        {
            var (known, users) = _locks.GetValueOrDefault(key);
            one = known ?? new SemaphoreSlim(1);
            _locks[key] = (one, users + 1);
        }

        try
        {
            await one.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Leave(key);
            throw;
        }

        return new Held(this, key, one);
    }

    private void Leave(string key)
    {
        lock (_locks)
        {
            var (one, users) = _locks[key];
            if (users > 1)
            {
                _locks[key] = (one, users - 1);
                return;
            }

            _locks.Remove(key);
            one.Dispose();
        }
    }

    private sealed class Held(KeyedLocks owner, string key, SemaphoreSlim one) : IDisposable
    {
        public void Dispose()
        {
            one.Release();
            owner.Leave(key);
        }
    }
}
