using System.Diagnostics.CodeAnalysis;

namespace FunctionsBackup.Storage.Remote;

/// <summary>Where in a bucket or container a store's objects lie: key = prefix + name.</summary>
internal sealed class KeyPrefix
{
    /// <param name="path">As configured: empty, or segments joined by <c>/</c>.</param>
    /// <exception cref="ArgumentException">It is no legal path.</exception>
    public KeyPrefix(string? path)
    {
        var trimmed = (path ?? "").Trim('/');
        Text = ObjectName.CheckPrefix(trimmed.Length == 0 ? "" : trimmed + "/");
    }

    /// <summary>Empty, or ends with <c>/</c>.</summary>
    public string Text { get; }

    /// <summary>A key that is no object's: <c>~</c> is not allowed in names.</summary>
    public string ProbeKey(string name) => $"{Text}~{name}";

    public string KeyOf(string name) => Text + name;

    /// <summary>False for keys that are not the store's: they are left alone.</summary>
    public bool TryGetName(string key, [NotNullWhen(true)] out string? name)
    {
        name = null;
        if (!key.StartsWith(Text, StringComparison.Ordinal)) return false;
        var rest = key[Text.Length..];
        if (!ObjectName.IsName(rest)) return false;
        name = rest;
        return true;
    }
}
