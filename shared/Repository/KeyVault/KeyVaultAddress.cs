using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace FunctionsBackup.Repository.KeyVault;

/// <summary>The address of a key: <c>https://VAULT/keys/NAME</c>, or of one version of it, <c>https://VAULT/keys/NAME/VERSION</c>.</summary>
public sealed record KeyVaultAddress
{
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    private KeyVaultAddress(Uri vault, string name, string? version) => (Vault, Name, Version) = (vault, name, version);

    /// <summary><c>https://VAULT/</c>.</summary>
    public Uri Vault { get; }

    public string Name { get; }

    /// <summary>Null: the newest.</summary>
    public string? Version { get; }

    /// <summary>The same key, without a version.</summary>
    public KeyVaultAddress Versionless => Version is null ? this : new(Vault, Name, null);

    /// <summary>False unless it is a key's address: https, no query, no user, nothing beyond the version.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out KeyVaultAddress? address)
    {
        address = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps || uri.UserInfo.Length > 0
            || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            return false;
        var parts = uri.AbsolutePath.Trim('/').Split('/');
        if (parts is not ["keys", var name, ..] || parts.Length > 3 || !IsName(name)) return false;
        var version = parts.Length == 3 ? parts[2] : null;
        if (version is not null && !IsName(version)) return false;
        address = new(new Uri(uri.GetLeftPart(UriPartial.Authority) + "/"), name, version);
        return true;
    }

    /// <summary>Whether both are the same key, of whatever version.</summary>
    public bool IsSameKey(KeyVaultAddress other) =>
        Vault == other.Vault && string.Equals(Name, other.Name, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => Version is null ? $"{Vault}keys/{Name}" : $"{Vault}keys/{Name}/{Version}";

    private static bool IsName(string text) => text.Length is > 0 and <= 127 && !text.AsSpan().ContainsAnyExcept(NameCharacters);
}
