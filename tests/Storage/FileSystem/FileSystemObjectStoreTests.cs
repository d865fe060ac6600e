using FunctionsBackup.Storage;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Storage.FileSystem;

public sealed class FileSystemObjectStoreTests : ObjectStoreConformance, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    protected override ValueTask<IObjectStore> OpenAsync()
    {
        FileSystemObjectStore.Initialize(_folder.Below("store"));
        return ValueTask.FromResult<IObjectStore>(new FileSystemObjectStore(_folder.Below("store")));
    }

    public void Dispose() => _folder.Dispose();
}
