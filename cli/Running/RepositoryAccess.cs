using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage.FileSystem;

namespace FunctionsBackup.Cli.Running;

/// <summary>From the configuration to the store, its keys and an open repository.</summary>
internal static class RepositoryAccess
{
    /// <exception cref="ConfigurationException">The configured kind of store is not available.</exception>
    public static FileSystemObjectStore CreateStore(CommandContext context)
    {
        var backend = context.Configuration.Global.StorageBackend;
        return backend == "filesystem"
            ? new FileSystemObjectStore(context.Configuration.Storage.Path, context.Time)
            : throw new ConfigurationException(
                $"{backend} repositories are not available in this version; use storage_backend: filesystem.");
    }

    /// <summary>Opens the repository; disposing it closes the store too.</summary>
    public static async ValueTask<BackupRepository> OpenAsync(
        CommandContext context, RepositoryOptions options, CancellationToken cancellationToken)
    {
        var store = CreateStore(context);
        UnlockedRepository? unlocked = null;
        try
        {
            unlocked = await WithCredentialAsync(context, c => KeyRingFactory.UnlockAsync(store, c, cancellationToken));
            return await BackupRepository.OpenAsync(store, unlocked, options, cancellationToken);
        }
        catch
        {
            unlocked?.Dispose();
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lends what opens the repository: the recovery key of the command line, else what the configuration names.</summary>
    public static async ValueTask<T> WithCredentialAsync<T>(CommandContext context, Func<KeyCredential, ValueTask<T>> use)
    {
        var keys = context.Configuration.Keys;
        if (context.Get(GlobalOptions.RecoveryKeyFile) is { } file)
        {
            using var key = RecoveryKey.Parse(ReadKeyFile(file));
            return await use(KeyCredential.Recovery(key));
        }

        if (!context.Configuration.Global.Encryption) return await use(KeyCredential.Clear);
        if (keys.Passphrase is { } reference)
        {
            var passphrase = Encoding.UTF8.GetBytes(context.Secrets.Resolve(reference, "keys.passphrase"));
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
            using var key = RecoveryKey.Parse(context.Secrets.Resolve(recovery, "keys.recovery_key"));
            return await use(KeyCredential.Recovery(key));
        }

        throw new ConfigurationException(
            "No key is configured, so the repository cannot be opened; set keys.passphrase to env:NAME or file:PATH, or use --recovery-key-file FILE.");
    }

    public static CompressionSettings Compression(CommandContext context)
    {
        var setting = context.Configuration.Global.Compression;
        var algorithm = Enum.Parse<CompressionAlgorithm>(setting.Algorithm.ToString());
        return setting.Level is { } level ? new CompressionSettings(algorithm, level) : CompressionSettings.Of(algorithm);
    }

    private static string ReadKeyFile(string file)
    {
        try
        {
            return new FileInfo(file).Length <= 64 << 10
                ? File.ReadAllText(file)
                : throw new UsageException($"The recovery key file {file} is larger than 64 KiB; is it the right one?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The recovery key file {file} cannot be read: {e.Message}");
        }
    }
}
