namespace FunctionsBackup.Tests.Storage;

/// <summary>A new folder, removed with all below when disposed.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fbackup-store-").FullName;

    public string Below(params ReadOnlySpan<string> names) => System.IO.Path.Join(Path, string.Join('/', names.ToArray()));

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
