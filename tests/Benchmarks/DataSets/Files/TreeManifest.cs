using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace FunctionsBackup.Benchmarks.DataSets.Files;

/// <summary>Kind, mode, time and SHA-256 of everything under a directory, to prove that a restore is exact.</summary>
public sealed class TreeManifest
{
    private readonly SortedDictionary<string, string> _entries;

    private TreeManifest(SortedDictionary<string, string> entries, long bytes) => (_entries, Bytes) = (entries, bytes);

    public int Count => _entries.Count;

    public long Bytes { get; }

    public static TreeManifest Of(string root, CancellationToken cancellationToken)
    {
        var lines = new ConcurrentDictionary<string, string>();
        long bytes = 0;
        var options = new ParallelOptions { CancellationToken = cancellationToken };
        Parallel.ForEach(new DirectoryInfo(root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories), options, entry =>
        {
            var what = entry switch
            {
                { LinkTarget: { } target } => $"link {target}",
                DirectoryInfo => "directory",
                _ => $"file {Hash(entry.FullName, ref bytes)} {entry.LastWriteTimeUtc.Ticks}",
            };
            lines[Path.GetRelativePath(root, entry.FullName)] = $"{what} {(entry.LinkTarget is null ? entry.UnixFileMode : 0)}";
        });
        return new TreeManifest(new SortedDictionary<string, string>(lines, StringComparer.Ordinal), bytes);
    }

    /// <summary>A text form, one line per entry.</summary>
    public void Save(string path) => File.WriteAllLines(path, _entries.Select(entry => $"{entry.Value}\t{entry.Key}"));

    public static TreeManifest Load(string path)
    {
        var pairs = File.ReadLines(path).Select(line => line.Split('\t', 2)).ToDictionary(parts => parts[1], parts => parts[0]);
        return new TreeManifest(new SortedDictionary<string, string>(pairs, StringComparer.Ordinal), 0);
    }

    /// <summary>What differs, one sentence each; empty when the trees are the same.</summary>
    public IReadOnlyList<string> Differences(TreeManifest other)
    {
        var differences = new List<string>();
        foreach (var (path, what) in _entries)
        {
            if (!other._entries.TryGetValue(path, out var there)) differences.Add($"{path} is missing");
            else if (there != what) differences.Add($"{path} differs: {what} became {there}");
        }

        differences.AddRange(other._entries.Keys.Where(path => !_entries.ContainsKey(path)).Select(path => $"{path} is new"));
        return differences;
    }

    private static string Hash(string path, ref long bytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
        Interlocked.Add(ref bytes, file.Length);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
