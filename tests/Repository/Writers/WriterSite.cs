using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Keys;

namespace FunctionsBackup.Tests.Repository.Writers;

/// <summary>A repository with a passphrase, and a writer that was let in.</summary>
internal sealed class WriterSite : IAsyncDisposable
{
    private WriterSite(InMemoryObjectStore store, WriterFile file) => (Store, File) = (store, file);

    public InMemoryObjectStore Store { get; }

    public WriterFile File { get; }

    public static async Task<WriterSite> CreateAsync(TimeProvider? clock = null)
    {
        var store = new InMemoryObjectStore(clock);
        await NewRepository.CreateAsync(store);
        return new WriterSite(store, await AddAsync(store, "agent 1"));
    }

    public static async Task<WriterFile> AddAsync(InMemoryObjectStore store, string label)
    {
        using var file = await new WriterAdministration(store, TimeProvider.System).AddAsync(NewRepository.Passphrase, label, "admin", default);
        return WriterFile.Parse(file.ToText()); // as it comes to the host
    }

    /// <summary>A process of the write-only host.</summary>
    public async Task<BackupRepository> WriteAsync(WriterFile? file = null, TimeProvider? time = null)
    {
        var unlocked = await WriterUnlock.UnlockAsync(Store, file ?? File, time ?? TimeProvider.System, default);
        return await BackupRepository.OpenAsync(Store, unlocked, new RepositoryOptions { Time = time ?? TimeProvider.System }, default);
    }

    /// <summary>A process that holds the passphrase.</summary>
    public Task<BackupRepository> OpenAsync(TimeProvider? time = null) => OpenAsync(Store, time);

    public static async Task<BackupRepository> OpenAsync(FunctionsBackup.Storage.IObjectStore store, TimeProvider? time = null) =>
        await BackupRepository.OpenAsync(
            store, await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default),
            new RepositoryOptions { Time = time ?? TimeProvider.System }, default);

    public async ValueTask DisposeAsync()
    {
        File.Dispose();
        await Store.DisposeAsync();
    }
}
