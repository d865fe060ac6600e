namespace FunctionsBackup.Operations.Configuration;

/// <summary>A place with a name: a copy of the repository elsewhere, or a bucket with data that is protected.</summary>
/// <param name="Name">What people call it; letters, digits, <c>_</c> and <c>-</c>.</param>
/// <param name="StorageBackend"><c>filesystem</c>, <c>s3</c> or <c>azure_blob</c>.</param>
/// <param name="Storage">Where it is; the same settings as <c>storage:</c> has.</param>
public sealed record ReplicaSettings(string Name, string StorageBackend, StorageSettings Storage)
{
    public const string Replica = "replica", Bucket = "bucket";

    /// <summary>The settings of an entry of <c>replication.replicas</c>.</summary>
    internal static IReadOnlyList<Setting> Table { get; } =
    [
        new("name", SettingKind.Text, null, "What the replica is called."),
        Settings.All.Single(s => s.Path == "global.storage_backend") with { Path = "storage_backend", Default = null },
        .. StorageTable.All.Select(s => s with { Path = s.Name, Default = s.Name == "path" ? null : s.Default }),
    ];

    /// <summary>What keeps it from being opened: one sentence; null: nothing.</summary>
    public string? FindProblem() => Noun == Bucket && StorageBackend == "filesystem"
        ? $"{Where} is of storage_backend filesystem; a bucket is s3 or azure_blob, and a folder stands under paths."
        : Storage.FindProblem(StorageBackend)?.Replace("storage.", $"{Where}.", StringComparison.Ordinal)
        ?? (StorageBackend == "filesystem" && Storage.Path.Length == 0 ? $"{Where} is a folder, but path does not say which; set it." : null);

    /// <summary>How errors call it.</summary>
    public string Where => $"{Noun} {Name}";

    /// <summary>What it is called: <see cref="Replica"/> or <see cref="Bucket"/>.</summary>
    public string Noun { get; init; } = Replica;

    /// <summary>Whether it would be the same place as another store.</summary>
    internal bool IsSamePlace(string backend, StorageSettings other) => backend == StorageBackend && backend switch
    {
        "filesystem" => Storage.Path == other.Path,
        "s3" => (Storage.S3.Bucket, Storage.Endpoint, Storage.Prefix ?? "") == (other.S3.Bucket, other.Endpoint, other.Prefix ?? ""),
        _ => (Storage.AzureBlob.Account, Storage.AzureBlob.Container, Storage.Endpoint, Storage.AzureBlob.ConnectionString, Storage.Prefix ?? "")
            == (other.AzureBlob.Account, other.AzureBlob.Container, other.Endpoint, other.AzureBlob.ConnectionString, other.Prefix ?? ""),
    };

    public override string ToString() => $"{Name} ({StorageBackend})";
}
