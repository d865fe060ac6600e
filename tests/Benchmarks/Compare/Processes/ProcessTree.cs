using System.Globalization;

namespace FunctionsBackup.Benchmarks.Compare.Processes;

/// <summary>Watches a process and all below it: the most memory they held at one time (sum of resident sizes, sampled).</summary>
public sealed class ProcessTree : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(20);

    private readonly int _root;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watch;

    public ProcessTree(int root)
    {
        _root = root;
        _watch = Task.Run(WatchAsync);
    }

    public long PeakBytes { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watch;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            do PeakBytes = Math.Max(PeakBytes, Resident(_root));
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // The process has ended.
        }
    }

    private static long Resident(int process)
    {
        var sum = 0L;
        try
        {
            foreach (var line in File.ReadLines($"/proc/{process}/status"))
                if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                    sum = 1024 * long.Parse(line.AsSpan(6).TrimEnd("kB").Trim(), CultureInfo.InvariantCulture);
            foreach (var thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
                foreach (var child in File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    sum += Resident(int.Parse(child, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // Ended while being looked at.
        }

        return sum;
    }
}
