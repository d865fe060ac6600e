using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace FunctionsBackup.Repository.Kms;

/// <summary>The ARN of a KMS key or of an alias: <c>arn:PARTITION:kms:REGION:ACCOUNT:key/ID</c> or <c>…:alias/NAME</c>.</summary>
public sealed record KmsKeyArn
{
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/");

    private KmsKeyArn(string partition, string region, string account, string resource) =>
        (Partition, Region, Account, Resource) = (partition, region, account, resource);

    public string Partition { get; }

    public string Region { get; }

    public string Account { get; }

    /// <summary><c>key/ID</c> or <c>alias/NAME</c>.</summary>
    public string Resource { get; }

    public bool IsAlias => Resource.StartsWith("alias/", StringComparison.Ordinal);

    /// <summary>One of the keys that KMS keeps the same in several regions.</summary>
    public bool IsMultiRegion => Resource.StartsWith("key/mrk-", StringComparison.Ordinal);

    public static bool TryParse(string? text, [NotNullWhen(true)] out KmsKeyArn? arn)
    {
        arn = null;
        if (text is null || text.Length > 512 || text.Split(':') is not ["arn", var partition, "kms", var region, var account, var resource])
            return false;
        if (!IsWord(partition) || !IsWord(region) || account.Length != 12 || !account.All(char.IsAsciiDigit)
            || resource.AsSpan().ContainsAnyExcept(Allowed)
            || !(resource.StartsWith("key/", StringComparison.Ordinal) || resource.StartsWith("alias/", StringComparison.Ordinal))
            || resource.EndsWith('/'))
            return false;
        arn = new(partition, region, account, resource);
        return true;
    }

    /// <summary>
    /// Whether what <paramref name="other"/> wrapped is for this key: the same key, a replica of it in another region, or, of an alias, which
    /// may have pointed elsewhere, any key of its account and region.
    /// </summary>
    public bool Covers(KmsKeyArn other) => !other.IsAlias && other.Partition == Partition && other.Account == Account
        && (IsAlias ? other.Region == Region : other.Resource == Resource && (other.Region == Region || IsMultiRegion));

    public override string ToString() => $"arn:{Partition}:kms:{Region}:{Account}:{Resource}";

    private static bool IsWord(string text) => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
