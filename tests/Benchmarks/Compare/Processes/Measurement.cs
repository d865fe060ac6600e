using System.Diagnostics;
using System.Globalization;

namespace FunctionsBackup.Benchmarks.Compare.Processes;

/// <summary>What one run of a command took.</summary>
/// <param name="Wall">From start to end, seconds.</param>
/// <param name="Cpu">User and system time of the command and all its children, seconds.</param>
/// <param name="PeakBytes">The most memory that the command and its children held at one time.</param>
public sealed record Measurement(double Wall, double Cpu, long PeakBytes)
{
    /// <summary>Runs a command with the file system quiet, and measures it.</summary>
    public static async Task<Measurement> OfAsync(Command command, CancellationToken cancellationToken)
    {
        await new Command("sync").RunAsync(cancellationToken);
        var file = Path.GetTempFileName();
        try
        {
            ProcessTree? tree = null;
            var start = command.Start("/usr/bin/time", "-q", "-f", "%U %S %M", "-o", file);
            var clock = Stopwatch.StartNew();
            await command.RunAsync(start, process => tree = new ProcessTree(process.Id), cancellationToken);
            var wall = clock.Elapsed.TotalSeconds;
            await tree!.DisposeAsync();
            var figures = (await File.ReadAllTextAsync(file, cancellationToken)).Trim().Split('\n')[^1].Split(' ');
            var cpu = Figure(0) + Figure(1);
            return new Measurement(wall, cpu, Math.Max((long)(Figure(2) * 1024), tree.PeakBytes));

            double Figure(int at) => double.Parse(figures[at], CultureInfo.InvariantCulture);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
