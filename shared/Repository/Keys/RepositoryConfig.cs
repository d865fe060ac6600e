using System.Security.Cryptography;
using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// The object <c>config</c>, whose creation makes a store a repository: readable by anyone, authenticated by whoever has a key.
/// </summary>
public sealed record RepositoryConfig
{
    public const int CurrentFormatVersion = 1;

    private const string Magic = "FunctionsBackup repository";
    private const int MacSize = HMACSHA256.HashSizeInBytes;

    /// <summary>32 hex digits, random.</summary>
    public required string RepositoryId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Where the keys are: <c>keys/GENERATION/</c>.</summary>
    public required string KeyGeneration { get; init; }

    public required ChunkerParameters Chunker { get; init; }

    /// <summary>HMAC-SHA-256 over the fields above.</summary>
    internal byte[] Mac { get; init; } = [];

    /// <summary>Reads the config. What it says is to be believed only after unlocking, which checks it.</summary>
    /// <exception cref="NotARepositoryException">There is none, or it is something else.</exception>
    /// <exception cref="NewerFormatException">It was written by a later program.</exception>
    public static async ValueTask<RepositoryConfig> LoadAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var bytes = await KeyObjects.ReadAsync(store, KeyObjects.Config, cancellationToken).ConfigureAwait(false);
        return bytes is null
            ? throw new NotARepositoryException(
                $"There is no repository in {store.Description}: it has no object 'config'. Check the storage, or run 'fbackup init'.")
            : Parse(bytes, store.Description);
    }

    /// <inheritdoc cref="LoadAsync"/>
    internal static RepositoryConfig Parse(ReadOnlyMemory<byte> bytes, string store)
    {
        if (bytes.IsEmpty) throw NotOurs(store, "it is empty (0 bytes)");
        if (bytes.Length > JsonFields.MaximumLength) throw NotOurs(store, "it is far too large");
        try
        {
            var fields = JsonFields.Parse(bytes, Magic);
            var version = fields.Number("formatVersion");
            if (version > CurrentFormatVersion)
            {
                throw new NewerFormatException(
                    $"The repository in {store} has format version {version}, newer than {CurrentFormatVersion}: update fbackup.");
            }

            if (version < 1) throw new InvalidDataException("its field formatVersion is malformed");
            var chunker = fields.Object("chunker");
            var config = new RepositoryConfig
            {
                RepositoryId = fields.String("repositoryId"),
                CreatedAt = fields.Time("createdAt"),
                KeyGeneration = fields.String("keys"),
                Chunker = new(chunker.Number("minimum"), chunker.Number("average"), chunker.Number("maximum")),
                Mac = fields.Bytes("mac", MacSize),
            };
            if (!IsId(config.RepositoryId)) throw new InvalidDataException("its field repositoryId is malformed");
            if (!KeyObjects.IsGeneration(config.KeyGeneration)) throw new InvalidDataException("its field keys is malformed");
            if (!config.Chunker.IsValid) throw new InvalidDataException("its field chunker is malformed");
            return config;
        }
        catch (InvalidDataException error)
        {
            throw NotOurs(store, error.Message, error);
        }
    }

    internal byte[] ToJson() => KeyObjects.Json(json =>
    {
        json.WriteString("magic", Magic);
        json.WriteNumber("formatVersion", CurrentFormatVersion);
        json.WriteString("repositoryId", RepositoryId);
        json.WriteString("createdAt", CreatedAt.ToString("O"));
        json.WriteString("keys", KeyGeneration);
        json.WriteStartObject("chunker");
        json.WriteNumber("minimum", Chunker.Minimum);
        json.WriteNumber("average", Chunker.Average);
        json.WriteNumber("maximum", Chunker.Maximum);
        json.WriteEndObject();
        json.WriteBase64String("mac", Mac);
    });

    internal RepositoryConfig Signed(KeyRing keys) => this with { Mac = ComputeMac(keys) };

    /// <exception cref="DamageException">A field is not what init wrote.</exception>
    internal void Verify(KeyRing keys)
    {
        if (CryptographicOperations.FixedTimeEquals(ComputeMac(keys), Mac)) return;
        throw new DamageException(
            KeyObjects.Config,
            $"The object config was changed after init: put back its copy {KeyObjects.ConfigCopy(KeyGeneration)}, or one from a replica.");
    }

    private byte[] ComputeMac(KeyRing keys) => HMACSHA256.HashData(
        keys.ConfigKey,
        new AssociatedData("config", CurrentFormatVersion, RepositoryId, KeyObjects.Config)
            .Add(CreatedAt.ToString("O")).Add(KeyGeneration).Add(Chunker.Minimum).Add(Chunker.Average).Add(Chunker.Maximum).ToArray());

    private static bool IsId(string text) => text.Length == 32 && KeyObjects.IsLowerHex(text);

    private static NotARepositoryException NotOurs(string store, string reason, Exception? inner = null) => new(
        $"The object 'config' in {store} is not a repository's: {reason}. Check the storage settings, or put it back from a replica or "
        + "from its copy keys/*/config.", inner);
}
