using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>A bucket as the target of a restore: <c>bucket:NAME</c> or <c>bucket:NAME/PREFIX</c>, NAME being one under <c>buckets</c> of the configuration.</summary>
/// <param name="Name">Of the bucket.</param>
/// <param name="Prefix">Below the bucket's own prefix; empty, or ends with <c>/</c>.</param>
public sealed record BucketTarget(string Name, string Prefix)
{
    private const string Scheme = "bucket:";

    public static bool IsOne(string target) => target.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Null: it is a path.</summary>
    /// <exception cref="InvalidRequestException">It is meant to be one, and is none.</exception>
    public static BucketTarget? Parse(string target)
    {
        if (!IsOne(target)) return null;
        var rest = target[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (name, prefix) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..].Trim('/'));
        if (name.Length == 0 || prefix.Length > 512 || prefix.Any(char.IsControl))
            throw new InvalidRequestException("A bucket as target is written bucket:NAME or bucket:NAME/PREFIX, with a name under buckets of the configuration.");
        return new BucketTarget(name, prefix.Length == 0 ? "" : prefix + "/");
    }
}
