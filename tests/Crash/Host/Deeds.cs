using FunctionsBackup.Components.Files;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Crash.Host;

/// <summary>What a process does to a repository until it is killed; also run by the tests themselves, to go on afterwards.</summary>
public static class Deeds
{
    /// <param name="deed"><c>init</c>, <c>backup TREE</c>, <c>forget</c> (the oldest), <c>collect</c>, <c>pin</c> (the newest), <c>repair</c>, <c>seal NAME</c>.</param>
    /// <param name="argument">Its argument, or empty.</param>
    /// <param name="store">The store; disposed.</param>
    /// <param name="opened">Called when the repository is open.</param>
    public static async Task DoAsync(string deed, string argument, IObjectStore store, Action? opened = null)
    {
        if (deed == "init")
        {
            await using (store) await Repositories.CreateAsync(store);
            return;
        }

        await using var repository = await Repositories.OpenAsync(store);
        opened?.Invoke();
        switch (deed)
        {
            case "backup":
                await new FilesBackup(repository, TimeProvider.System).RunAsync(new FilesBackupOptions("voice_data", [argument]), null, CancellationToken.None);
                break;

            case "forget":
                await foreach (var snapshot in repository.ListSnapshotsAsync(null, CancellationToken.None))
                {
                    await repository.Snapshots.DeleteAsync(snapshot.Id, CancellationToken.None);
                    break;
                }

                break;

            case "collect":
                await new GarbageCollector(repository).RunAsync(new CollectionOptions(), CancellationToken.None);
                break;

            case "pin":
                var newest = await repository.GetSnapshotAsync("latest", null, CancellationToken.None);
                await repository.Snapshots.PinAsync(newest.Id, "crash test", CancellationToken.None);
                break;

            case "repair":
                await new RepositoryRepair(repository).RunAsync(readAll: true, 2, CancellationToken.None);
                break;

            case "seal":
                await repository.Sealed.CreateAsync(SealedKind.WalSegment, argument, "facts"u8.ToArray(), new byte[1 << 20], CancellationToken.None);
                break;

            default:
                throw new ArgumentException($"There is no deed '{deed}'.", nameof(deed));
        }
    }
}
