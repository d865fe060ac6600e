namespace FunctionsBackup.Components.Files;

/// <summary>Adds up what several threads did and reports it a few times a second.</summary>
internal sealed class ProgressMeter(IProgress<WorkProgress>? progress, TimeProvider time, long filesTotal = 0, long bytesTotal = 0)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private long _files;
    private long _bytes;
    private long _last = time.GetTimestamp();

    internal void AddFile()
    {
        Interlocked.Increment(ref _files);
        MayReport();
    }

    internal void AddBytes(long count)
    {
        Interlocked.Add(ref _bytes, count);
        MayReport();
    }

    internal void Report() =>
        progress?.Report(new WorkProgress(Interlocked.Read(ref _files), filesTotal, Interlocked.Read(ref _bytes), bytesTotal));

    private void MayReport()
    {
        if (progress is null) return;
        var last = Interlocked.Read(ref _last);
        if (time.GetElapsedTime(last) < Interval) return;
        if (Interlocked.CompareExchange(ref _last, time.GetTimestamp(), last) == last) Report();
    }
}
