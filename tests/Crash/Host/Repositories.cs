using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Crash.Host;

/// <summary>Encrypted repositories whose passphrase is known and cheap to check.</summary>
public static class Repositories
{
    private static readonly byte[] Passphrase = "correct horse"u8.ToArray();

    public static async Task CreateAsync(IObjectStore store) =>
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(
            new InitRequest
            {
                Passphrases = [new InitPassphrase(Passphrase, "tests")],
                AcknowledgeRecoveryKey = (_, _) => ValueTask.FromResult(true),
                Scrypt = new ScryptParameters(16, 8, 1),
            },
            CancellationToken.None);

    public static async Task<BackupRepository> OpenAsync(IObjectStore store)
    {
        var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Passphrase(Passphrase), CancellationToken.None);
        return await BackupRepository.OpenAsync(store, unlocked, new RepositoryOptions(), CancellationToken.None);
    }
}
