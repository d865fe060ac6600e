using System.Net;

namespace FunctionsBackup.SelfHosting.Hosting.Access;

/// <summary>
/// Counts failed attempts per address, so that guessing is slow and does not fill the log. It never stands in the way of a good key: behind
/// a proxy all come from one address, and nobody must be able to lock the others out. Bounded memory.
/// </summary>
internal sealed class FailedAttempts(TimeProvider time)
{
    /// <summary>Failures of one address that are answered within <see cref="Window"/>.</summary>
    public const int Limit = 10;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private const int MaximumAddresses = 10_000;

    private readonly Dictionary<IPAddress, (DateTimeOffset Since, int Count)> _failures = [];
    private readonly Lock _gate = new();

    /// <summary>Notes one. False: too many; the second value is how long to wait.</summary>
    public bool Note(IPAddress? address, out TimeSpan retryAfter)
    {
        address ??= IPAddress.None;
        var now = time.GetUtcNow();
        lock (_gate)
        {
            if (_failures.Count >= MaximumAddresses)
                foreach (var old in _failures.Where(f => now - f.Value.Since >= Window || f.Value.Since > now).Select(f => f.Key).ToList())
                    _failures.Remove(old);
            if (_failures.Count >= MaximumAddresses) _failures.Clear();
            var (since, count) = _failures.GetValueOrDefault(address, (now, 0));
            if (now - since >= Window || since > now) (since, count) = (now, 0);
            _failures[address] = (since, count + 1);
            retryAfter = since + Window - now;
            return count < Limit;
        }
    }
}
