using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// A key that never leaves its service (Azure Key Vault, AWS KMS) and wraps the key of a slot there. Safe for concurrent use.
/// </summary>
public interface IKeyService : IDisposable
{
    /// <summary>Kind of the slots that it opens: <see cref="KeySlot.KeyVaultKind"/> or <see cref="KeySlot.KmsKind"/>.</summary>
    string SlotKind { get; }

    /// <summary>The key as people named it, for messages: an address or an ARN.</summary>
    string Key { get; }

    /// <summary>Whether a slot that <paramref name="key"/> wrapped is for this service's key. Slots come from the store and may be hostile.</summary>
    /// <param name="key">What <see cref="WrappedKey.Key"/> was when the slot was made.</param>
    bool Owns(string key);

    /// <summary>Wraps 32 bytes.</summary>
    /// <exception cref="KeyServiceException">The service refused or could not be reached.</exception>
    ValueTask<WrappedKey> WrapAsync(SecretBytes plaintext, KeyBinding binding, CancellationToken cancellationToken);

    /// <summary>Unwraps what <see cref="WrapAsync"/> gave; the caller disposes of it.</summary>
    /// <param name="wrapped">Of a key that this service <see cref="Owns"/>.</param>
    /// <param name="binding">As when it was wrapped.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="KeyServiceException">The service refused or could not be reached.</exception>
    ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyBinding binding, CancellationToken cancellationToken);
}

/// <summary>What a service wrapped.</summary>
/// <param name="Key">The very key that did it, with its version where the service has versions; at most 2,048 characters.</param>
/// <param name="Algorithm">By the service's name for it; at most 64 characters.</param>
/// <param name="Bytes">At most 8 KiB.</param>
public sealed record WrappedKey(string Key, string Algorithm, ReadOnlyMemory<byte> Bytes);

/// <summary>What a wrapped key is good for, where the service can bind it (KMS's encryption context).</summary>
public readonly record struct KeyBinding(string RepositoryId, string SlotId);

/// <summary>A key service refused, or could not be reached. The message says which key, why, and the mend; never a secret.</summary>
public sealed class KeyServiceException(string message, Exception? inner = null) : RepositoryException(message, inner)
{
    /// <summary>Trouble of the network or the service: the same may succeed later.</summary>
    public bool MayPass { get; init; }
}
