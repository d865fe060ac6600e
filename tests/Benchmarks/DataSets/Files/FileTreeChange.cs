using System.Globalization;
using FunctionsBackup.Benchmarks.DataSets.Audio;
using FunctionsBackup.Benchmarks.DataSets.Text;

namespace FunctionsBackup.Benchmarks.DataSets.Files;

/// <summary>What a day does to the tree, 1 % of its bytes in all: new recordings and transcripts, logs that grow, edits in place, some gone.</summary>
public static class FileTreeChange
{
    /// <returns>Bytes added or changed.</returns>
    public static long Apply(string root, int step, ulong seed)
    {
        var random = SplitMix.For(seed, string.Create(CultureInfo.InvariantCulture, $"step {step}"));
        var files = Directory.GetFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        var total = files.Sum(file => new FileInfo(file).Length);
        var share = total / 400;
        var changed = NewFiles(root, step, share, ref random);
        changed += GrowLogs(files, share, ref random);
        changed += Edit(files, share, ref random);
        changed += Insert(files, share, ref random);
        foreach (var file in files.Where(file => file.EndsWith(".json", StringComparison.Ordinal)))
            if (random.Below(500) == 0) File.Delete(file);
        return changed;
    }

    private static long NewFiles(string root, int step, long share, ref SplitMix random)
    {
        var day = Directory.CreateDirectory(Path.Combine(root, "new", string.Create(CultureInfo.InvariantCulture, $"day-{step}"))).FullName;
        long sum = 0;
        for (var i = 0; sum < share; i++)
        {
            var name = Path.Combine(day, string.Create(CultureInfo.InvariantCulture, $"call-{i:0000}"));
            var size = (int)Math.Min(share - sum, random.Between(100_000, 1_000_000));
            if (i % 2 == 0) WaveFile.Write(name + ".wav", size, new SplitMix(random.Next()));
            else OpusFile.Write(name + ".opus", size, new SplitMix(random.Next()));
            Transcript.Write(name + ".json", random.Between(1500, 9000), new SplitMix(random.Next()));
            sum += size;
        }

        return sum;
    }

    private static long GrowLogs(string[] files, long share, ref SplitMix random)
    {
        var logs = files.Where(file => file.EndsWith(".log", StringComparison.Ordinal)).ToArray();
        var each = (int)(share / Math.Max(1, logs.Length));
        foreach (var log in logs) ServiceLog.Append(log, each, new SplitMix(random.Next()));
        return share;
    }

    /// <summary>Overwrites stretches of up to 64 KiB in the middle of recordings: a database page or a tag rewritten.</summary>
    private static long Edit(string[] files, long share, ref SplitMix random)
    {
        var large = files.Where(file => new FileInfo(file).Length > 200_000).ToArray();
        var bytes = new byte[64 << 10];
        long sum = 0;
        for (; sum < share; sum += bytes.Length)
        {
            using var file = new FileStream(large[random.Below(large.Length)], FileMode.Open, FileAccess.Write);
            random.Fill(bytes);
            file.Position = random.Below((int)Math.Min(int.MaxValue, file.Length - bytes.Length));
            file.Write(bytes);
        }

        return sum;
    }

    /// <summary>Rewrites transcripts with one turn more: small files that change as a whole.</summary>
    private static long Insert(string[] files, long share, ref SplitMix random)
    {
        var transcripts = files.Where(file => file.EndsWith(".json", StringComparison.Ordinal)).ToArray();
        long sum = 0;
        for (var i = 0; sum < share && i < transcripts.Length / 10; i++)
        {
            var path = transcripts[random.Below(transcripts.Length)];
            var text = File.ReadAllText(path);
            var at = text.IndexOf('[', StringComparison.Ordinal) + 1;
            File.WriteAllText(path, text.Insert(at, string.Create(CultureInfo.InvariantCulture, $"{{\"note\":\"{random.Next():x}\"}},")));
            sum += text.Length;
        }

        return sum;
    }
}
