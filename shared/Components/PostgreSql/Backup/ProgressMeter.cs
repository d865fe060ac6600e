namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Adds up what workers have done and reports it after each file.</summary>
internal sealed class ProgressMeter(IProgress<WorkProgress>? progress)
{
    private long _files;
    private long _bytes;

    public long FilesTotal { get; set; }

    public long BytesTotal { get; set; }

    public void Done(string path, long bytes)
    {
        var files = Interlocked.Increment(ref _files);
        var all = Interlocked.Add(ref _bytes, bytes);
        progress?.Report(new WorkProgress(files, FilesTotal, all, BytesTotal, path));
    }
}
