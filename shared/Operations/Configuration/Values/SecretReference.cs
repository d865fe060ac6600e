using System.Diagnostics.CodeAnalysis;

namespace FunctionsBackup.Operations.Configuration.Values;

/// <summary>Where a secret is kept.</summary>
public enum SecretKind
{
    Environment,
    File,
    KeyVault,
}

/// <summary>A secret by reference: <c>env:NAME</c>, <c>file:PATH</c> or <c>keyvault:NAME</c>. Holds no secret and may be printed.</summary>
public sealed record SecretReference(SecretKind Kind, string Name)
{
    public static bool TryParse(string text, [NotNullWhen(true)] out SecretReference? reference)
    {
        reference = null;
        var colon = text.IndexOf(':');
        if (colon < 0) return false;
        var name = text[(colon + 1)..];
        reference = text[..colon] switch
        {
            "env" when IsVariableName(name) => new SecretReference(SecretKind.Environment, name),
            "file" when name.Length > 0 && !name.Contains('\0') => new SecretReference(SecretKind.File, name),
            "keyvault" when IsVaultName(name) => new SecretReference(SecretKind.KeyVault, name),
            _ => null,
        };
        return reference is not null;
    }

    public override string ToString() => Kind switch
    {
        SecretKind.Environment => $"env:{Name}",
        SecretKind.File => $"file:{Name}",
        _ => $"keyvault:{Name}",
    };

    private static bool IsVariableName(string name) =>
        name.Length is > 0 and <= 256 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>Letters, digits and dashes; a vault before a slash, a version after a further one.</summary>
    private static bool IsVaultName(string name) =>
        name.Length is > 0 and <= 256 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '/' or '.');
}
