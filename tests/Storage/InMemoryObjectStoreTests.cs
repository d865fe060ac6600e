using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Storage;

public sealed class InMemoryObjectStoreTests : ObjectStoreConformance
{
    protected override ValueTask<IObjectStore> OpenAsync() => ValueTask.FromResult<IObjectStore>(new InMemoryObjectStore());
}
