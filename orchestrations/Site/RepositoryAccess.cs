using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>From the configuration to the store, its keys and an open repository.</summary>
public static class RepositoryAccess
{
    /// <exception cref="ConfigurationException">The configuration does not say where the store is, or a secret is missing.</exception>
    public static IObjectStore CreateStore(BackupSite site) => StoreFactory.Create(site.Configuration, site.Secrets, site.Time);

    /// <summary>Opens the repository by itself; disposing it closes the store and wipes the keys too.</summary>
    public static async ValueTask<BackupRepository> OpenAsync(
        BackupSite site, RepositoryOptions options, CancellationToken cancellationToken)
    {
        var store = CreateStore(site);
        UnlockedRepository? unlocked = null;
        try
        {
            unlocked = await UnlockAsync(site, store, cancellationToken);
            return await BackupRepository.OpenAsync(store, unlocked, options, cancellationToken);
        }
        catch
        {
            unlocked?.Dispose();
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Unlocks the keys: slow on purpose where a passphrase opens them.</summary>
    public static ValueTask<UnlockedRepository> UnlockAsync(BackupSite site, IObjectStore store, CancellationToken cancellationToken) =>
        WithCredentialAsync(site, c => KeyRingFactory.UnlockAsync(store, c, cancellationToken));

    /// <summary>Lends what opens the repository: the recovery key file that was named, else what the configuration names.</summary>
    public static async ValueTask<T> WithCredentialAsync<T>(BackupSite site, Func<KeyCredential, ValueTask<T>> use)
    {
        var keys = site.Configuration.Keys;
        if (site.Options.RecoveryKeyFile is { } file)
        {
            using var key = RecoveryKey.Parse(ReadKeyFile(file));
            return await use(KeyCredential.Recovery(key));
        }

        if (!site.Configuration.Global.Encryption) return await use(KeyCredential.Clear);
        if (keys.Passphrase is { } reference)
        {
            var passphrase = Encoding.UTF8.GetBytes(site.Secrets.Resolve(reference, "keys.passphrase"));
            try
            {
                return await use(KeyCredential.Passphrase(passphrase));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(passphrase);
            }
        }

        if (keys.RecoveryKey is { } recovery)
        {
            using var key = RecoveryKey.Parse(site.Secrets.Resolve(recovery, "keys.recovery_key"));
            return await use(KeyCredential.Recovery(key));
        }

        throw new ConfigurationException(
            "No key is configured, so the repository cannot be opened; set keys.passphrase to env:NAME or file:PATH, or use --recovery-key-file FILE.");
    }

    public static CompressionSettings Compression(BackupSite site)
    {
        var setting = site.Configuration.Global.Compression;
        var algorithm = Enum.Parse<CompressionAlgorithm>(setting.Algorithm.ToString());
        return setting.Level is { } level ? new CompressionSettings(algorithm, level) : CompressionSettings.Of(algorithm);
    }

    private static string ReadKeyFile(string file)
    {
        try
        {
            return new FileInfo(file).Length <= 64 << 10
                ? File.ReadAllText(file)
                : throw new ConfigurationException($"The recovery key file {file} is larger than 64 KiB; is it the right one?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The recovery key file {file} cannot be read: {e.Message}");
        }
    }
}
