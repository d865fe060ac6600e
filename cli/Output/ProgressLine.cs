using System.Text.Json.Nodes;
using FunctionsBackup.Components;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Output;

/// <summary>One line on a terminal that is drawn over itself, a few times a second at most.</summary>
internal sealed class ProgressLine(TextWriter terminal, string title, TimeProvider time, Lock gate) : IProgress<WorkProgress>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(150);
    private readonly long _start = time.GetTimestamp();
    private long _drawn;
    private int _width;

    public void Report(WorkProgress value)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            if (_drawn != 0 && time.GetElapsedTime(_drawn, now) < Interval) return;
            _drawn = now;
            var seconds = Math.Max(0.001, time.GetElapsedTime(_start, now).TotalSeconds);
            var rate = $"{Human.Bytes((long)(value.BytesDone / seconds))}/s";
            var done = value.BytesTotal > 0
                ? $"{Bar((double)value.BytesDone / value.BytesTotal)} {Human.Bytes(value.BytesDone)} of {Human.Bytes(value.BytesTotal)}"
                : $"{Human.Bytes(value.BytesDone)}, {value.FilesDone:N0} files";
            var line = $"{title}  {done}  {rate}";
            terminal.Write('\r' + line.PadRight(_width));
            terminal.Flush();
            _width = line.Length;
        }
    }

    public void Clear()
    {
        if (_width == 0) return;
        terminal.Write('\r' + new string(' ', _width) + '\r');
        _width = 0;
    }

    public void Dispose()
    {
        lock (gate)
        {
            Clear();
            terminal.Flush();
        }
    }

    private static string Bar(double share)
    {
        const int Cells = 24;
        var filled = (int)Math.Round(Math.Clamp(share, 0, 1) * Cells);
        return $"[{new string('#', filled)}{new string('.', Cells - filled)}] {Math.Clamp(share, 0, 1) * 100,3:F0} %";
    }
}

/// <summary>Progress as events, one each second at most.</summary>
internal sealed class JsonProgress(Printer printer, string title, TimeProvider time) : IProgress<WorkProgress>
{
    private long _last = time.GetTimestamp();

    public void Report(WorkProgress value)
    {
        var last = Interlocked.Read(ref _last);
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(last, now) < TimeSpan.FromSeconds(1) || Interlocked.CompareExchange(ref _last, now, last) != last) return;
        printer.Event("progress", new JsonObject
        {
            ["work"] = title,
            ["files_done"] = value.FilesDone,
            ["files_total"] = value.FilesTotal,
            ["bytes_done"] = value.BytesDone,
            ["bytes_total"] = value.BytesTotal,
        });
    }
}
