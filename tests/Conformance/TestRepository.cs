using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Conformance;

/// <summary>Makes and opens repositories for tests, quickly: their master key lies open, so that no key derivation is needed.</summary>
public static class TestRepository
{
    /// <summary>Creates a repository in the store and opens it. The store is disposed with it.</summary>
    public static async Task<BackupRepository> CreateAsync(IObjectStore? store = null, RepositoryOptions? options = null)
    {
        store ??= new InMemoryObjectStore();
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(new InitRequest { Encrypt = false }, CancellationToken.None);
        return await OpenAsync(store, options);
    }

    /// <summary>Opens a repository that <see cref="CreateAsync"/> made.</summary>
    public static async Task<BackupRepository> OpenAsync(IObjectStore store, RepositoryOptions? options = null)
    {
        var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Clear, CancellationToken.None);
        return await BackupRepository.OpenAsync(store, unlocked, options ?? new RepositoryOptions(), CancellationToken.None);
    }
}
