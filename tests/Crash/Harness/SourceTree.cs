namespace FunctionsBackup.Tests.Crash.Harness;

/// <summary>A small tree of files on disk, and its contents in memory.</summary>
internal sealed class SourceTree(string root)
{
    private readonly Random _random = new(20261122);
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private int _changes;

    public string Root => root;

    /// <summary>Contents by path relative to the root.</summary>
    public IReadOnlyDictionary<string, byte[]> Files => _files;

    /// <summary>Adds a file of random bytes, half of them compressible.</summary>
    public void Add(string path, int bytes)
    {
        var content = new byte[bytes];
        _random.NextBytes(content.AsSpan(0, bytes / 2));
        for (var i = bytes / 2; i < bytes; i++) content[i] = (byte)(i / 97);
        Put(path, content);
    }

    public void Remove(string path)
    {
        File.Delete(Path.Combine(root, path));
        _files.Remove(path);
    }

    /// <summary>Adds a file, changes one, removes one.</summary>
    public void Change()
    {
        _changes++;
        Add($"new/{_changes:000}.bin", _random.Next(1, 200_000));
        var paths = _files.Keys.ToArray();
        var edited = paths[_random.Next(paths.Length)];
        var content = _files[edited].ToArray();
        if (content.Length > 0) content[_random.Next(content.Length)] ^= 0x5A;
        Put(edited, content);
        var removed = paths[_random.Next(paths.Length)];
        if (_files.Count > 5 && removed != edited) Remove(removed);
    }

    /// <summary>The contents as they are now, which later changes do not touch.</summary>
    public SourceTree Freeze()
    {
        var copy = new SourceTree(root);
        foreach (var (path, content) in _files) copy._files.Add(path, content);
        return copy;
    }

    private void Put(string path, byte[] content)
    {
        var full = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, content);
        _files[path] = content;
    }
}
