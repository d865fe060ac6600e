using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// 32 bytes sealed by the master key: the repository secret (<c>keys/GENERATION/secrets</c>) and the epochs' data keys
/// (<c>keys/GENERATION/epochs/NNNNNN</c>); FORMAT.md §3.
/// </summary>
internal static class KeyRecord
{
    public const string SecretsKind = "secrets";
    public const string EpochKind = "epoch";

    /// <summary>The private half of the key that sessions of write-only writers are wrapped for: the scalar, big-endian.</summary>
    public const string WritersKind = "writers";

    private const string Magic = "FunctionsBackup key record";
    private const int Version = 1;

    public static byte[] Seal(
        string kind, string objectName, RepositoryScope scope, ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> secret, DateTimeOffset now)
    {
        var created = now.ToString("O");
        using var key = Wrapping(masterKey);
        var box = AesGcmBox.Seal(key.Span, secret, AssociatedData(kind, objectName, scope, created));
        return KeyObjects.Json(json =>
        {
            json.WriteString("magic", Magic);
            json.WriteNumber("version", Version);
            json.WriteString("kind", kind);
            json.WriteString("created", created);
            json.WriteBase64String("key", box);
        });
    }

    /// <param name="bytes">The object, or null if it is missing.</param>
    /// <param name="kind">What it should be.</param>
    /// <param name="objectName">Where it is kept.</param>
    /// <param name="scope">Of the repository.</param>
    /// <param name="masterKey">The master key.</param>
    /// <exception cref="DamageException">It is missing, or is not what the master key sealed.</exception>
    public static SecretBytes Open(byte[]? bytes, string kind, string objectName, RepositoryScope scope, ReadOnlySpan<byte> masterKey)
    {
        using var key = Wrapping(masterKey);
        return Open(bytes, kind, objectName, scope, key);
    }

    /// <inheritdoc cref="Open(byte[], string, string, RepositoryScope, ReadOnlySpan{byte})"/>
    /// <param name="bytes">As above.</param>
    /// <param name="kind">As above.</param>
    /// <param name="objectName">As above.</param>
    /// <param name="scope">As above.</param>
    /// <param name="wrapping">What <see cref="Wrapping"/> gives of the master key.</param>
    public static SecretBytes Open(byte[]? bytes, string kind, string objectName, RepositoryScope scope, SecretBytes wrapping)
    {
        if (bytes is null) throw Damaged(objectName, "is missing");
        if (bytes.Length == 0) throw Damaged(objectName, "is empty (0 bytes)");
        if (bytes.Length > JsonFields.MaximumLength) throw Damaged(objectName, "is far too large");
        try
        {
            var fields = JsonFields.Parse(bytes, Magic);
            if (fields.Number("version") != Version || fields.String("kind") != kind)
                throw new InvalidDataException("it is of another version or kind");
            var box = fields.Bytes("key", KeyDerivation.KeySize + AesGcmBox.Overhead);
            return AesGcmBox.TryOpen(wrapping.Span, box, AssociatedData(kind, objectName, scope, fields.String("created")))
                ?? throw new InvalidDataException("it was changed, or belongs to another repository");
        }
        catch (InvalidDataException error)
        {
            throw Damaged(objectName, $"is damaged: {error.Message}", error);
        }
    }

    /// <summary>The key that wraps key records, from the master key.</summary>
    public static SecretBytes Wrapping(ReadOnlySpan<byte> masterKey) => KeyDerivation.Derive(masterKey, "FunctionsBackup key record 1"u8);

    private static byte[] AssociatedData(string kind, string objectName, RepositoryScope scope, string created) =>
        new AssociatedData("key record", Version, scope.RepositoryId, objectName).Add(kind).Add(created).ToArray();

    private static DamageException Damaged(string objectName, string what, Exception? inner = null) =>
        new(objectName, $"The object {objectName} {what}: put it back from a replica, it holds keys.", inner);
}
