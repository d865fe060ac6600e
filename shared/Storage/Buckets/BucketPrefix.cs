namespace FunctionsBackup.Storage.Buckets;

/// <summary>Where in a bucket somebody's objects lie: key = prefix + the rest. Any text: it is not ours.</summary>
internal sealed class BucketPrefix(string? path)
{
    /// <summary>Empty, or ends with <c>/</c>.</summary>
    public string Text { get; } = (path ?? "").Trim('/') is { Length: > 0 } trimmed ? trimmed + "/" : "";

    public string KeyOf(string key) => Text + key;

    public string RestOf(string key) => key[Text.Length..];
}
