using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>Where the repository is kept and how the service is used.</summary>
/// <param name="Path">Absolute folder of a filesystem repository.</param>
public sealed record StorageSettings(string Path)
{
    public string? Endpoint { get; init; }

    public string? Prefix { get; init; }

    public required S3Settings S3 { get; init; }

    public required AzureBlobSettings AzureBlob { get; init; }

    /// <summary>Retention locks; null: none.</summary>
    public ImmutabilitySettings? Immutability { get; init; }

    /// <summary>Each as name=value.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    public int Connections { get; init; }

    public TimeSpan RequestTimeout { get; init; }

    public TimeSpan OperationTimeout { get; init; }

    public int Attempts { get; init; }

    /// <summary>Bytes.</summary>
    public int PartSize { get; init; }

    internal static StorageSettings From(Func<string, object?> value)
    {
        return new StorageSettings(Text("path")!)
        {
            Endpoint = Text("endpoint"),
            Prefix = Text("prefix"),
            S3 = new S3Settings(
                Text("bucket"), Text("region"), value("storage.path_style") as bool?, Text("profile"), Secret("access_key"),
                Secret("secret_key"), Secret("session_token"), Text("storage_class"), Text("kms_key"),
                Text("conditional_create") == "single_writer"),
            AzureBlob = new AzureBlobSettings(
                Text("account"), Text("container"), Secret("account_key"), Secret("sas"), Secret("connection_string"),
                Text("managed_identity"), Text("tier")),
            Immutability = Text("immutability.mode") is { } mode
                ? new ImmutabilitySettings(mode == "compliance", value("storage.immutability.days") as int? ?? 30)
                : null,
            Tags = value("storage.tags") as IReadOnlyList<string> ?? [],
            Connections = (int)value("storage.connections")!,
            RequestTimeout = (TimeSpan)value("storage.request_timeout")!,
            OperationTimeout = (TimeSpan)value("storage.operation_timeout")!,
            Attempts = (int)value("storage.attempts")!,
            PartSize = (int)value("storage.part_size")! << 20,
        };

        string? Text(string name) => value($"storage.{name}") as string;

        SecretReference? Secret(string name) => value($"storage.{name}") as SecretReference;
    }

    /// <summary>What keeps a repository of this kind from being opened: one sentence; null: nothing.</summary>
    public string? FindProblem(string backend) => backend switch
    {
        "filesystem" when Immutability is not null =>
            "storage.immutability is set, but a folder cannot lock what is in it; remove it, or keep the repository in S3 or Azure Blob.",
        "s3" when S3.Bucket is null => "storage_backend is s3, but no bucket is named; set storage.bucket.",
        "s3" when S3.AccessKey is null != S3.SecretKey is null =>
            "storage.access_key and storage.secret_key belong together; set both, or neither to use a profile or a role of the machine.",
        "s3" when S3.StorageClass is "GLACIER" or "DEEP_ARCHIVE" =>
            $"storage.storage_class {S3.StorageClass} cannot be read at once, so nothing could be restored or verified; "
            + "use GLACIER_IR, STANDARD_IA or another class that can.",
        "azure_blob" when AzureBlob.Container is null => "storage_backend is azure_blob, but no container is named; set storage.container.",
        "azure_blob" when AzureBlob.Account is null && AzureBlob.ConnectionString is null && Endpoint is null =>
            "storage_backend is azure_blob, but no account is named; set storage.account, or storage.connection_string.",
        "s3" or "azure_blob" when Endpoint is { } address && !address.StartsWith("http", StringComparison.Ordinal) =>
            "storage.endpoint must be an https:// address.",
        "s3" or "azure_blob" when Tags.FirstOrDefault(t => t.IndexOf('=', StringComparison.Ordinal) < 1) is { } tag =>
            $"'{tag}' in storage.tags is no tag; write name=value.",
        _ => null,
    };

    /// <summary>What is worth a word though it is no error.</summary>
    internal IEnumerable<string> Notes(string backend)
    {
        if (backend == "filesystem" && Immutability is null) yield break;
        if (FindProblem(backend) is { } problem) yield return problem;
        if (Endpoint is { } address && address.StartsWith("http://", StringComparison.Ordinal) && !new Uri(address).IsLoopback)
            yield return "storage.endpoint is not encrypted on the way (http); names, sizes and signatures can be seen: use https.";
    }
}

/// <param name="IsCompliance">Nobody can lift a lock before its time.</param>
/// <param name="Days">How long locks last when they are set or renewed.</param>
public sealed record ImmutabilitySettings(bool IsCompliance, int Days);

/// <param name="Bucket">Null: not set.</param>
/// <param name="Region">Null: what the machine's AWS configuration says.</param>
/// <param name="PathStyle">Null: with an endpoint.</param>
/// <param name="Profile">Of the machine's AWS configuration.</param>
/// <param name="AccessKey">By reference.</param>
/// <param name="SecretKey">By reference.</param>
/// <param name="SessionToken">By reference.</param>
/// <param name="StorageClass">Null: the bucket's.</param>
/// <param name="KmsKey">Null: the bucket's encryption.</param>
/// <param name="SingleWriter">Only one process ever writes: for servers that ignore If-None-Match.</param>
public sealed record S3Settings(
    string? Bucket, string? Region, bool? PathStyle, string? Profile, SecretReference? AccessKey, SecretReference? SecretKey,
    SecretReference? SessionToken, string? StorageClass, string? KmsKey, bool SingleWriter);

/// <param name="Account">Null: in the connection string or the endpoint.</param>
/// <param name="Container">Null: not set.</param>
/// <param name="AccountKey">By reference.</param>
/// <param name="Sas">By reference.</param>
/// <param name="ConnectionString">By reference.</param>
/// <param name="ManagedIdentity">Client id; null: the machine's own identity.</param>
/// <param name="Tier">Null: the account's.</param>
public sealed record AzureBlobSettings(
    string? Account, string? Container, SecretReference? AccountKey, SecretReference? Sas, SecretReference? ConnectionString,
    string? ManagedIdentity, string? Tier);
