namespace FunctionsBackup.Operations.Configuration;

/// <summary>One copy of the repository elsewhere.</summary>
/// <param name="Name">What people call it; letters, digits, <c>_</c> and <c>-</c>.</param>
/// <param name="StorageBackend"><c>filesystem</c>, <c>s3</c> or <c>azure_blob</c>.</param>
/// <param name="Storage">Where it is; the same settings as <c>storage:</c> has.</param>
public sealed record ReplicaSettings(string Name, string StorageBackend, StorageSettings Storage)
{
    /// <summary>The settings of an entry of <c>replication.replicas</c>.</summary>
    internal static IReadOnlyList<Setting> Table { get; } =
    [
        new("name", SettingKind.Text, null, "What the replica is called."),
        Settings.All.Single(s => s.Path == "global.storage_backend") with { Path = "storage_backend", Default = null },
        .. StorageTable.All.Select(s => s with { Path = s.Name, Default = s.Name == "path" ? null : s.Default }),
    ];

    /// <summary>What keeps it from being opened: one sentence; null: nothing.</summary>
    public string? FindProblem() => Storage.FindProblem(StorageBackend)?.Replace("storage.", $"{Where}.", StringComparison.Ordinal)
        ?? (StorageBackend == "filesystem" && Storage.Path.Length == 0 ? $"{Where} is a folder, but path does not say which; set it." : null);

    /// <summary>How errors call it.</summary>
    public string Where => $"replica {Name}";

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
