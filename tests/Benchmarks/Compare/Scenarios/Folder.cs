namespace FunctionsBackup.Benchmarks.Compare.Scenarios;

internal static class Folder
{
    /// <summary>Bytes of all files below a directory (apparent size).</summary>
    public static long Bytes(string path) => new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    /// <summary>Reads all files, so that they are in the page cache.</summary>
    public static void Warm(string path, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 20];
        foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
                while (stream.Read(buffer) > 0) continue;
            }
            catch (FileNotFoundException)
            {
                // A running server removes files.
            }
        }
    }
}
