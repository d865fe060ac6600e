using System.Globalization;
using FunctionsBackup.Benchmarks.DataSets.Audio;
using FunctionsBackup.Benchmarks.DataSets.Text;

namespace FunctionsBackup.Benchmarks.DataSets.Files;

/// <summary>
/// The files of a voice platform, the same for one seed and size: 36 % wav, 27 % opus, 10 % JSON transcripts of some KB each, 12 % logs,
/// two big files of 4 % each, 7 % exact duplicates of recordings and transcripts.
/// </summary>
public static class FileTree
{
    public static void Create(string root, long bytes, ulong seed, CancellationToken cancellationToken)
    {
        var work = new List<Action>();
        var duplicates = new List<(string From, string To)>();
        Plan(root, bytes, seed, work, duplicates);
        var options = new ParallelOptions { CancellationToken = cancellationToken };
        Parallel.ForEach(work, options, static action => action());
        foreach (var (from, to) in duplicates)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to);
        }
    }

    private static void Plan(string root, long bytes, ulong seed, List<Action> work, List<(string From, string To)> duplicates)
    {
        long copied = 0;
        Sized("wav", 0.36, 400_000, 16_000_000, (path, size, random) => WaveFile.Write(path, size, random));
        Sized("opus", 0.27, 100_000, 3_000_000, (path, size, random) => OpusFile.Write(path, size, random));
        Sized("json", 0.10, 1_500, 9_000, (path, size, random) => Transcript.Write(path, size, random));
        Sized("log", 0.12, 2_000_000, 24_000_000, (path, size, random) => ServiceLog.Append(path, size, random));
        Single("exports/calls.log", (path, size, random) => ServiceLog.Append(path, size, random));
        Single("exports/session-mix.wav", (path, size, random) => WaveFile.Write(path, size, random));

        void Sized(string kind, double share, int low, int high, Action<string, int, SplitMix> write)
        {
            var random = SplitMix.For(seed, kind);
            long sum = 0;
            for (var i = 0; sum < bytes * share; i++)
            {
                var day = string.Create(CultureInfo.InvariantCulture, $"2026-05-{1 + (i % 28):00}");
                var directory = Path.Combine(root, kind switch { "json" => "transcripts", "log" => "logs", _ => "recordings" }, day);
                Directory.CreateDirectory(directory);
                var path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"call-{i:00000}.{kind}"));
                // Many short, few long: the square of a uniform number.
                var fraction = random.Fraction();
                var size = low + (int)((high - low) * fraction * fraction);
                var own = new SplitMix(random.Next());
                work.Add(() => write(path, size, own));
                sum += size;
                if (kind == "log" || copied >= bytes * 0.07 || random.Below(6) != 0) continue;
                copied += size;
                duplicates.Add((path, Path.Combine(root, "shared", day, Path.GetFileName(path))));
            }
        }

        void Single(string name, Action<string, int, SplitMix> write)
        {
            var path = Path.Combine(root, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            work.Add(() => write(path, (int)(bytes * 0.04), SplitMix.For(seed, name)));
        }
    }
}
