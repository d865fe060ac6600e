using System.Collections.Concurrent;

namespace FunctionsBackup.Benchmarks.Status;

/// <summary>Times, and their percentiles.</summary>
internal sealed class Latencies
{
    private readonly ConcurrentBag<double> _milliseconds = [];

    public int Count => _milliseconds.Count;

    public void Add(TimeSpan time) => _milliseconds.Add(time.TotalMilliseconds);

    public override string ToString()
    {
        var sorted = _milliseconds.Order().ToArray();
        return sorted.Length == 0 ? "none"
            : $"{sorted.Length} samples, p50 {At(0.5):F2} ms, p99 {At(0.99):F2} ms, longest {sorted[^1]:F2} ms";

        double At(double part) => sorted[Math.Min(sorted.Length - 1, (int)(part * sorted.Length))];
    }
}
