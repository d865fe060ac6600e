using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Keys;

/// <summary>One way to the master key: the object <c>keys/GENERATION/slots/ID</c>, which holds it wrapped (FORMAT.md §3).</summary>
public sealed class KeySlot
{
    public const string PassphraseKind = "passphrase";
    public const string RecoveryKind = "recovery";
    public const string ClearKind = "clear";

    private const string Magic = "FunctionsBackup key slot";
    private const int Version = 1;
    private const int SaltSize = 32;
    private const int MaximumLabel = 200;

    private readonly byte[] _salt;
    private readonly byte[] _key;

    private KeySlot(string id, string kind, string label, DateTimeOffset createdAt, ScryptParameters scrypt, byte[] salt, byte[] key) =>
        (Id, Kind, Label, CreatedAt, Scrypt, _salt, _key) = (id, kind, label, createdAt, scrypt, salt, key);

    /// <summary>16 hex digits.</summary>
    public string Id { get; }

    public string Kind { get; }

    /// <summary>What people call it; at most 200 characters.</summary>
    public string Label { get; }

    public DateTimeOffset CreatedAt { get; }

    /// <summary>Of passphrase slots.</summary>
    public ScryptParameters Scrypt { get; }

    /// <summary>Wraps the master key.</summary>
    internal static KeySlot Create(
        KeyCredential credential, string label, RepositoryScope scope, ReadOnlySpan<byte> masterKey, ScryptParameters scrypt,
        DateTimeOffset now)
    {
        if (label.Length > MaximumLabel) throw new RepositoryException($"A slot's label has at most {MaximumLabel} characters.");
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var salt = RandomNumberGenerator.GetBytes(SaltSize);
        var bare = new KeySlot(id, credential.SlotKind, label, now, credential.SlotKind == PassphraseKind ? scrypt : default, salt, []);
        if (credential is KeyCredential.ClearCredential)
            return new(id, bare.Kind, label, now, default, salt, masterKey.ToArray());
        using var wrapping = bare.WrappingKey(credential);
        return new(id, bare.Kind, label, now, bare.Scrypt, salt, AesGcmBox.Seal(wrapping.Span, masterKey, bare.AssociatedData(scope)));
    }

    /// <summary>Unwraps the master key.</summary>
    /// <returns>Null if the credential is not this slot's, or the slot was tampered with.</returns>
    internal SecretBytes? TryOpen(KeyCredential credential, RepositoryScope scope)
    {
        if (credential.SlotKind != Kind) return null;
        if (credential is KeyCredential.ClearCredential) return SecretBytes.Copy(_key);
        using var wrapping = WrappingKey(credential);
        return AesGcmBox.TryOpen(wrapping.Span, _key, AssociatedData(scope));
    }

    /// <exception cref="InvalidDataException">It is not a slot that this program can use; says why.</exception>
    internal static KeySlot Parse(string id, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty) throw new InvalidDataException("it is empty (0 bytes)");
        if (bytes.Length > JsonFields.MaximumLength) throw new InvalidDataException("it is far too large");
        var fields = JsonFields.Parse(bytes, Magic);
        var version = fields.Number("version");
        if (version != Version) throw new InvalidDataException($"it has version {version}, this program knows {Version}");
        fields.HasOnly("magic", "version", "kind", "label", "created", "scrypt", "salt", "key", "check");
        var kind = fields.String("kind");
        if (kind is not (PassphraseKind or RecoveryKind or ClearKind))
            throw new InvalidDataException("its kind is not known to this program");
        var label = fields.String("label");
        if (label.Length > MaximumLabel) throw new InvalidDataException("its field label is malformed");
        var scrypt = default(ScryptParameters);
        if (kind == PassphraseKind)
        {
            var cost = fields.Object("scrypt");
            scrypt = new(cost.Number("N"), cost.Number("r"), cost.Number("p"));
            if (!scrypt.IsValid) throw new InvalidDataException("its scrypt parameters are out of bounds");
        }

        var keySize = KeyDerivation.KeySize + (kind == ClearKind ? 0 : AesGcmBox.Overhead);
        var slot = new KeySlot(id, kind, label, fields.Time("created"), scrypt, fields.Bytes("salt", SaltSize), fields.Bytes("key", keySize));
        if (fields.Has("check") && !fields.Bytes("check", SHA256.HashSizeInBytes).AsSpan().SequenceEqual(slot.Check()))
            throw new InvalidDataException("its fields do not have the checksum that they should have");
        return slot;
    }

    internal byte[] ToJson() => KeyObjects.Json(json =>
    {
        json.WriteString("magic", Magic);
        json.WriteNumber("version", Version);
        json.WriteString("kind", Kind);
        json.WriteString("label", Label);
        json.WriteString("created", CreatedAt.ToString("O"));
        if (Kind == PassphraseKind)
        {
            json.WriteStartObject("scrypt");
            json.WriteNumber("N", Scrypt.N);
            json.WriteNumber("r", Scrypt.R);
            json.WriteNumber("p", Scrypt.P);
            json.WriteEndObject();
        }

        json.WriteBase64String("salt", _salt);
        json.WriteBase64String("key", _key);
        json.WriteBase64String("check", Check());
    });

    /// <summary>SHA-256 of all fields: shows decay of a slot long before it is needed. Who changes a slot on purpose can change it too.</summary>
    private byte[] Check() => SHA256.HashData(
        new AssociatedData("key slot check", Version, "", Id)
            .Add(Kind).Add(Label).Add(CreatedAt.ToString("O")).Add(Scrypt.N).Add(Scrypt.R).Add(Scrypt.P)
            .Add(Convert.ToBase64String(_salt)).Add(Convert.ToBase64String(_key)).ToArray());

    private SecretBytes WrappingKey(KeyCredential credential) => credential switch
    {
        KeyCredential.PassphraseCredential passphrase => SecretBytes.Create(
            KeyDerivation.KeySize, (passphrase, slot: this),
            static (key, state) => Crypto.Scrypt.DeriveKey(state.passphrase.Bytes.Span, state.slot._salt, state.slot.Scrypt, key)),
        KeyCredential.RecoveryCredential recovery => KeyDerivation.Derive(recovery.Key.Bytes, "FunctionsBackup recovery slot 1"u8, _salt),
        _ => throw new InvalidOperationException("A clear slot has no wrapping key."),
    };

    private byte[] AssociatedData(RepositoryScope scope) =>
        new AssociatedData("key slot", Version, scope.RepositoryId, KeyObjects.Slots(scope.KeyGeneration) + Id)
            .Add(Kind).Add(Label).Add(CreatedAt.ToString("O")).ToArray();
}

/// <summary>What keys are bound to.</summary>
internal readonly record struct RepositoryScope(string RepositoryId, string KeyGeneration)
{
    public static RepositoryScope Of(RepositoryConfig config) => new(config.RepositoryId, config.KeyGeneration);
}
