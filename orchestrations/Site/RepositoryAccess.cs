using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Writers;
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

    /// <summary>Unlocks the keys: slow on purpose where a passphrase opens them. On a host that only writes, begins a session.</summary>
    public static async ValueTask<UnlockedRepository> UnlockAsync(BackupSite site, IObjectStore store, CancellationToken cancellationToken)
    {
        if (!site.IsWriteOnly) return await WithCredentialAsync(site, c => KeyRingFactory.UnlockAsync(store, c, cancellationToken));
        using var file = ReadWriterFile(site);
        return await WriterUnlock.UnlockAsync(store, file, site.Time, cancellationToken);
    }

    /// <summary>What a host that only writes holds.</summary>
    /// <exception cref="ConfigurationException">It is missing, or is none.</exception>
    public static WriterFile ReadWriterFile(BackupSite site)
    {
        var reference = site.Configuration.Keys.Writer ?? throw new ConfigurationException("keys.writer is not set.");
        try
        {
            return WriterFile.Parse(site.Secrets.Resolve(reference, "keys.writer"));
        }
        catch (FormatException e)
        {
            throw new ConfigurationException(e.Message);
        }
    }

    /// <summary>The store to read from, with its keys: a replica alone, or the repository with its replicas behind it.</summary>
    /// <param name="site">The site.</param>
    /// <param name="replica">The replica's name; null: the repository.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="RepositoryException">It cannot be opened.</exception>
    public static async ValueTask<(IObjectStore Store, UnlockedRepository Keys)> OpenForReadingAsync(
        BackupSite site, string? replica, CancellationToken cancellationToken)
    {
        if (replica is not null)
        {
            var alone = StoreFactory.Create(ReplicaAccess.Find(site.Configuration, replica), site.Secrets, site.Time);
            try
            {
                return (alone, await UnlockAsync(site, alone, cancellationToken));
            }
            catch
            {
                await alone.DisposeAsync();
                throw;
            }
        }

        var primary = CreateStore(site);
        var replicas = site.Configuration.Replicas.Select(r => StoreFactory.Create(r, site.Secrets, site.Time)).ToList();
        var store = new FallbackStore(primary, replicas);
        try
        {
            return (store, await UnlockAnyAsync(site, primary, replicas, cancellationToken));
        }
        catch (StoreException e)
        {
            await store.DisposeAsync();
            throw new StoreException(
                $"{e.Message} To restore without it, name a replica: --from-replica {site.Configuration.Replicas[0].Name}.", e, e.IsTransient);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Keys that are lost or damaged are taken from a replica, if it opens with what the site has.</summary>
    private static async ValueTask<UnlockedRepository> UnlockAnyAsync(
        BackupSite site, IObjectStore primary, IReadOnlyList<IObjectStore> replicas, CancellationToken cancellationToken)
    {
        try
        {
            return await UnlockAsync(site, primary, cancellationToken);
        }
        catch (RepositoryException e) when (e is DamageException or NotARepositoryException)
        {
            foreach (var replica in replicas)
            {
                try
                {
                    var unlocked = await UnlockAsync(site, replica, cancellationToken);
                    site.Options.Warn($"{e.Message} The keys were read from {replica.Description} instead; 'fbackup repository repair' heals them.");
                    return unlocked;
                }
                catch (Exception other) when (other is RepositoryException or StoreException)
                {
                    continue; // what is wrong with the repository itself is said
                }
            }

            throw;
        }
    }

    /// <summary>
    /// Lends what opens the repository, one key after another until one does: the recovery key file that was named, else what the
    /// configuration names. Says which did not, and why.
    /// </summary>
    /// <exception cref="ConfigurationException">No key is configured, or a secret is missing.</exception>
    /// <exception cref="RepositoryException">None opens.</exception>
    public static async ValueTask<T> WithCredentialAsync<T>(BackupSite site, Func<KeyCredential, ValueTask<T>> use)
    {
        site.RequireKeys("Opening the repository");
        using var keys = new ConfiguredKeys(site);
        var failures = new List<(string Name, Exception Failure)>();
        foreach (var (name, fetch) in keys.All)
        {
            try
            {
                var result = await use(fetch());
                foreach (var (other, failure) in failures)
                    site.Options.Warn($"{other} did not open the repository, {name} did: {failure.Message}");
                return result;
            }
            catch (Exception e) when (e is WrongKeyException or KeyServiceException or ConfigurationException or FormatException)
            {
                failures.Add((name, e));
            }
        }

        throw NoneOpens(failures);
    }

    /// <summary>
    /// Lends all keys that can be fetched, in the order in which they are tried. Those that cannot are told to
    /// <see cref="SiteOptions.Warn"/>.
    /// </summary>
    /// <exception cref="ConfigurationException">None can be fetched.</exception>
    public static async ValueTask<T> WithCredentialsAsync<T>(BackupSite site, Func<IReadOnlyList<KeyCredential>, ValueTask<T>> use)
    {
        site.RequireKeys("Opening the repository");
        using var keys = new ConfiguredKeys(site);
        var credentials = new List<KeyCredential>();
        var failures = new List<(string Name, Exception Failure)>();
        foreach (var (name, fetch) in keys.All)
        {
            try
            {
                credentials.Add(fetch());
            }
            catch (Exception e) when (e is KeyServiceException or ConfigurationException or FormatException or WrongKeyException)
            {
                failures.Add((name, e));
            }
        }

        if (credentials.Count == 0) throw NoneOpens(failures);
        foreach (var (name, failure) in failures) site.Options.Warn($"{name} is left out: {failure.Message}");
        return await use(credentials);
    }

    private static Exception NoneOpens(List<(string Name, Exception Failure)> failures)
    {
        if (failures.Count == 0)
        {
            return new ConfigurationException(
                "No key is configured, so the repository cannot be opened; set keys.passphrase to env:NAME or file:PATH, keys.keyvault or "
                + "keys.kms, or use --recovery-key-file FILE.");
        }

        if (failures.Count == 1)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failures[0].Failure);
        }

        var all = string.Join(" ", failures.Select(f => $"{f.Name}: {f.Failure.Message}"));
        var message = $"None of the {failures.Count} keys that are configured opens the repository. {all}";
        // A service that is away may be back: that is no mistake of the configuration.
        return failures.Find(f => f.Failure is KeyServiceException).Failure is { } service
            ? new KeyServiceException(message, service) { MayPass = ((KeyServiceException)service).MayPass }
            : new WrongKeyException(message);
    }

    public static CompressionSettings Compression(BackupSite site)
    {
        var setting = site.Configuration.Global.Compression;
        var algorithm = Enum.Parse<CompressionAlgorithm>(setting.Algorithm.ToString());
        return setting.Level is { } level ? new CompressionSettings(algorithm, level) : CompressionSettings.Of(algorithm);
    }
}
