using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>Keys that the configuration names; without them the SDK's own chain finds some.</summary>
public sealed record S3Credentials(string AccessKey, string SecretKey, string? SessionToken);

/// <summary>How an object is created only if its name is free.</summary>
public enum S3ConditionalCreate
{
    /// <summary>
    /// By the server (<c>If-None-Match: *</c>), which is tried before the first write; a server that ignores it is refused.
    /// </summary>
    Required,

    /// <summary>
    /// Where the server ignores <c>If-None-Match</c>: look first, then write. Exact only while one process writes, which whoever chooses
    /// this promises.
    /// </summary>
    SingleWriter,
}

/// <summary>Where an S3 store is and how it is used.</summary>
/// <param name="Bucket">It must exist.</param>
public sealed record S3StoreOptions(string Bucket)
{
    /// <summary>Address of a compatible service; null: Amazon's own of the region.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Null: what the SDK finds, or <c>us-east-1</c> with an endpoint.</summary>
    public string? Region { get; init; }

    /// <summary>Path in the bucket.</summary>
    public string? Prefix { get; init; }

    /// <summary>The bucket in the path instead of the host name; null: with an endpoint.</summary>
    public bool? PathStyle { get; init; }

    public S3Credentials? Credentials { get; init; }

    /// <summary>Profile of the shared credentials file.</summary>
    public string? Profile { get; init; }

    /// <summary>Class of new objects; null: the bucket's default.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Key of the service's KMS that encrypts new objects; null: the bucket's default encryption.</summary>
    public string? KmsKey { get; init; }

    /// <summary>Tags of new objects.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    public S3ConditionalCreate ConditionalCreate { get; init; }

    /// <summary>Object Lock of new objects; the bucket must have it. Null: none.</summary>
    public RetentionLock? Lock { get; init; }

    public RemoteLimits Limits { get; init; } = new();
}
