using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Keys;

/// <summary>One way to the master key: the object <c>keys/GENERATION/slots/ID</c>, which holds it wrapped (FORMAT.md §3).</summary>
public sealed class KeySlot
{
    public const string PassphraseKind = "passphrase";
    public const string RecoveryKind = "recovery";
    public const string ClearKind = "clear";
    public const string KeyVaultKind = "keyvault";
    public const string KmsKind = "kms";

    internal const int SaltSize = 32;

    internal const int MaximumLabel = 200;

    private KeySlot(
        string id, string kind, string label, DateTimeOffset createdAt, ScryptParameters scrypt, WrappedKey? service, byte[] salt, byte[] key) =>
        (Id, Kind, Label, CreatedAt, Scrypt, Service, Salt, Key) = (id, kind, label, createdAt, scrypt, service, salt, key);

    /// <summary>16 hex digits.</summary>
    public string Id { get; }

    public string Kind { get; }

    /// <summary>What people call it; at most 200 characters.</summary>
    public string Label { get; }

    public DateTimeOffset CreatedAt { get; }

    /// <summary>Of passphrase slots.</summary>
    public ScryptParameters Scrypt { get; }

    /// <summary>Of slots of a key service: its key, and the slot's own key as the service wrapped it.</summary>
    public WrappedKey? Service { get; }

    /// <summary>Whether a person can open it without any service.</summary>
    public bool IsForPeople => Kind is PassphraseKind or RecoveryKind;

    internal byte[] Salt { get; }

    /// <summary>The master key, sealed.</summary>
    internal byte[] Key { get; }

    /// <summary>Whether slots of this kind have a <see cref="Service"/>.</summary>
    internal static bool IsServiceKind(string kind) => kind is KeyVaultKind or KmsKind;

    /// <summary>Puts a slot together that was read.</summary>
    internal static KeySlot Of(
        string id, string kind, string label, DateTimeOffset createdAt, ScryptParameters scrypt, WrappedKey? service, byte[] salt, byte[] key) =>
        new(id, kind, label, createdAt, scrypt, service, salt, key);

    /// <summary>Wraps the master key.</summary>
    /// <exception cref="KeyServiceException">The service of the credential refused or could not be reached.</exception>
    internal static async ValueTask<KeySlot> CreateAsync(
        KeyCredential credential, string label, RepositoryScope scope, SecretBytes masterKey, ScryptParameters scrypt, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        if (label.Length > MaximumLabel) throw new RepositoryException($"A slot's label has at most {MaximumLabel} characters.");
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var salt = RandomNumberGenerator.GetBytes(SaltSize);
        var kind = credential.SlotKind;
        if (credential is KeyCredential.ClearCredential) return new(id, kind, label, now, default, null, salt, masterKey.Span.ToArray());
        using var random = SecretBytes.Random(KeyDerivation.KeySize);
        var service = credential is KeyCredential.ServiceCredential { KeyService: { } keys }
            ? await keys.WrapAsync(random, new KeyBinding(scope.RepositoryId, id), cancellationToken).ConfigureAwait(false)
            : null;
        var bare = new KeySlot(id, kind, label, now, kind == PassphraseKind ? scrypt : default, service, salt, []);
        using var wrapping = service is null ? bare.WrappingKey(credential) : bare.WrappingKey(random);
        return new(id, kind, label, now, bare.Scrypt, service, salt, AesGcmBox.Seal(wrapping.Span, masterKey.Span, bare.AssociatedData(scope)));
    }

    /// <summary>Unwraps the master key.</summary>
    /// <returns>Null if the credential is not this slot's, or the slot was tampered with.</returns>
    /// <exception cref="KeyServiceException">The service of the credential refused or could not be reached.</exception>
    internal async ValueTask<SecretBytes?> TryOpenAsync(KeyCredential credential, RepositoryScope scope, CancellationToken cancellationToken)
    {
        if (credential.SlotKind != Kind) return null;
        if (credential is KeyCredential.ClearCredential) return SecretBytes.Copy(Key);
        if (credential is not KeyCredential.ServiceCredential { KeyService: { } service })
        {
            using var wrapping = WrappingKey(credential);
            return AesGcmBox.TryOpen(wrapping.Span, Key, AssociatedData(scope));
        }

        // What the store names is not asked for, unless it is the key that was configured.
        if (!service.Owns(Service!.Key)) return null;
        using var unwrapped = await service.UnwrapAsync(Service, new KeyBinding(scope.RepositoryId, Id), cancellationToken).ConfigureAwait(false);
        if (unwrapped.Length != KeyDerivation.KeySize) return null;
        using var key = WrappingKey(unwrapped);
        return AesGcmBox.TryOpen(key.Span, Key, AssociatedData(scope));
    }

    /// <inheritdoc cref="KeySlotJson.Parse"/>
    internal static KeySlot Parse(string id, ReadOnlyMemory<byte> bytes) => KeySlotJson.Parse(id, bytes);

    internal byte[] ToJson() => KeySlotJson.Write(this);

    private SecretBytes WrappingKey(KeyCredential credential) => credential switch
    {
        KeyCredential.PassphraseCredential passphrase => SecretBytes.Create(
            KeyDerivation.KeySize, (passphrase, slot: this),
            static (key, state) => Crypto.Scrypt.DeriveKey(state.passphrase.Bytes.Span, state.slot.Salt, state.slot.Scrypt, key)),
        KeyCredential.RecoveryCredential recovery => KeyDerivation.Derive(recovery.Key.Bytes, "FunctionsBackup recovery slot 1"u8, Salt),
        _ => throw new InvalidOperationException("Such a slot has no wrapping key of its own."),
    };

    /// <summary>Of a slot of a key service, from the 32 bytes that the service keeps.</summary>
    private SecretBytes WrappingKey(SecretBytes kept) => KeyDerivation.Derive(kept.Span, "FunctionsBackup service slot 1"u8, Salt);

    private byte[] AssociatedData(RepositoryScope scope)
    {
        var fields = new AssociatedData("key slot", KeySlotJson.Version, scope.RepositoryId, KeyObjects.Slots(scope.KeyGeneration) + Id)
            .Add(Kind).Add(Label).Add(CreatedAt.ToString("O"));
        return (Service is null ? fields : fields.Add(Service.Key).Add(Service.Algorithm)).ToArray();
    }
}

/// <summary>What keys are bound to.</summary>
internal readonly record struct RepositoryScope(string RepositoryId, string KeyGeneration)
{
    public static RepositoryScope Of(RepositoryConfig config) => new(config.RepositoryId, config.KeyGeneration);
}
