using System.Runtime.CompilerServices;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Repository.Locks;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.Buckets;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;
using FunctionsBackup.Storage.S3;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>
/// Makes the store that the configuration names. The SDKs of the services are loaded only by the methods that need them, so that a
/// repository in a folder opens as fast as if there were none.
/// </summary>
public static class StoreFactory
{
    /// <param name="configuration">Names the store.</param>
    /// <param name="secrets">Fetches what opens it.</param>
    /// <param name="time">Gives deadlines.</param>
    /// <param name="listPageSize">Objects per page of listings; null: the service's own.</param>
    /// <exception cref="ConfigurationException">Something is missing or does not fit.</exception>
    /// <exception cref="StoreException">There are no credentials.</exception>
    public static IObjectStore Create(
        BackupConfiguration configuration, SecretResolver secrets, TimeProvider time, int? listPageSize = null)
    {
        if (configuration.Storage.FindProblem(configuration.Global.StorageBackend) is { } problem) throw new ConfigurationException(problem);
        return Create(configuration.Global.StorageBackend, configuration.Storage, secrets, time, listPageSize);
    }

    /// <summary>The store of a replica; see the other <c>Create</c>.</summary>
    public static IObjectStore Create(ReplicaSettings replica, SecretResolver secrets, TimeProvider time)
    {
        if (replica.FindProblem() is { } problem) throw new ConfigurationException(problem);
        return Create(replica.StorageBackend, replica.Storage, secrets, time, null);
    }

    /// <summary>A bucket of data, by its name in the configuration.</summary>
    /// <exception cref="ConfigurationException">There is none of that name, or something does not fit.</exception>
    public static IBucket OpenBucket(BackupConfiguration configuration, string name, SecretResolver secrets, TimeProvider time)
    {
        var settings = configuration.Buckets.FirstOrDefault(b => b.Name == name);
        if (settings is null)
        {
            var mend = NearestName.Find(name, configuration.Buckets.Select(b => b.Name)) is { } near ? $"did you mean '{near}'?" : $"add it under buckets in {configuration.File}.";
            throw new ConfigurationException($"There is no bucket '{name}'; {mend}");
        }

        if (settings.FindProblem() is { } problem) throw new ConfigurationException(problem);
        return settings.StorageBackend == "s3" ? OpenS3Bucket(settings.Storage, secrets, time) : OpenAzureBlobBucket(settings.Storage, secrets, time);
    }

    private static IObjectStore Create(string backend, StorageSettings settings, SecretResolver secrets, TimeProvider time, int? listPageSize)
    {
        if (backend == "filesystem") return new FileSystemObjectStore(settings.Path, time);
        try
        {
            return backend == "s3" ? OpenS3(settings, secrets, time, listPageSize) : OpenAzureBlob(settings, secrets, time, listPageSize);
        }
        catch (ArgumentException)
        {
            throw new ConfigurationException(
                $"storage.prefix '{settings.Prefix}' cannot be used; write letters, digits, '.', '_' and '-', with '/' between.");
        }
    }

    /// <summary>Makes the place ready where that is ours to do: a folder. Buckets and containers must exist.</summary>
    public static void Initialize(IObjectStore store)
    {
        if (store is FileSystemObjectStore folder) FileSystemObjectStore.Initialize(folder.Root);
    }

#pragma warning disable CA1859 // the concrete types in Create would make the runtime load the SDKs
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IObjectStore OpenS3(StorageSettings settings, SecretResolver secrets, TimeProvider time, int? listPageSize)
    {
        return new S3ObjectStore(S3Options(settings, secrets, listPageSize), time);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IBucket OpenS3Bucket(StorageSettings settings, SecretResolver secrets, TimeProvider time) =>
        new S3Bucket(S3Options(settings, secrets, null), time);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IBucket OpenAzureBlobBucket(StorageSettings settings, SecretResolver secrets, TimeProvider time) =>
        new AzureBlobBucket(AzureBlobOptions(settings, secrets, null), time);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static S3StoreOptions S3Options(StorageSettings settings, SecretResolver secrets, int? listPageSize)
    {
        var s3 = settings.S3;
        return new S3StoreOptions(s3.Bucket!)
        {
            Endpoint = Address(settings),
            Region = s3.Region,
            Prefix = settings.Prefix,
            PathStyle = s3.PathStyle,
            Profile = s3.Profile,
            Credentials = s3.AccessKey is null ? null : new S3Credentials(
                Secret(s3.AccessKey, "access_key")!, Secret(s3.SecretKey, "secret_key")!, Secret(s3.SessionToken, "session_token")),
            StorageClass = s3.StorageClass,
            KmsKey = s3.KmsKey,
            ConditionalCreate = s3.SingleWriter ? S3ConditionalCreate.SingleWriter : S3ConditionalCreate.Required,
            Lock = Lock(settings),
            Tags = Tags(settings),
            Limits = Limits(settings, listPageSize),
        };

        string? Secret(SecretReference? reference, string name) => StoreFactory.Secret(secrets, reference, name);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IObjectStore OpenAzureBlob(
        StorageSettings settings, SecretResolver secrets, TimeProvider time, int? listPageSize)
    {
        return new AzureBlobObjectStore(AzureBlobOptions(settings, secrets, listPageSize), time);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static AzureBlobStoreOptions AzureBlobOptions(StorageSettings settings, SecretResolver secrets, int? listPageSize)
    {
        var blob = settings.AzureBlob;
        return new AzureBlobStoreOptions(blob.Container!)
        {
            Account = blob.Account,
            Endpoint = Address(settings),
            Prefix = settings.Prefix,
            ConnectionString = Secret(secrets, blob.ConnectionString, "connection_string"),
            AccountKey = Secret(secrets, blob.AccountKey, "account_key"),
            SasToken = Secret(secrets, blob.Sas, "sas"),
            ManagedIdentity = blob.ManagedIdentity,
            Tier = blob.Tier,
            Lock = Lock(settings),
            Tags = Tags(settings),
            Limits = Limits(settings, listPageSize),
        };
    }

#pragma warning restore CA1859

    private static string? Secret(SecretResolver secrets, SecretReference? reference, string name) =>
        reference is null ? null : secrets.Resolve(reference, $"storage.{name}");

    private static Uri? Address(StorageSettings settings) => settings.Endpoint is { } address ? new Uri(address) : null;

    private static RetentionLock? Lock(StorageSettings settings) => settings.Immutability is { } wanted
        ? new RetentionLock(
            wanted.IsCompliance ? LockMode.Compliance : LockMode.Governance, TimeSpan.FromDays(wanted.Days), LockedObjects.Covers)
        : null;

    private static Dictionary<string, string> Tags(StorageSettings settings) =>
        settings.Tags.Select(t => t.Split('=', 2)).ToDictionary(t => t[0].Trim(), t => t[1].Trim());

    private static RemoteLimits Limits(StorageSettings settings, int? listPageSize) => new()
    {
        Connections = settings.Connections,
        RequestTimeout = settings.RequestTimeout,
        OperationTimeout = settings.OperationTimeout,
        Attempts = settings.Attempts,
        PartSize = settings.PartSize,
        SinglePutLimit = 2 * settings.PartSize,
        ListPageSize = listPageSize,
    };
}
