namespace FunctionsBackup.Repository.Keys;

/// <summary>What somebody opens a repository with. Only slots of the same kind are tried.</summary>
/// <remarks>
/// There is no falling back from one kind to another: who holds the store, but no key, could otherwise put an open slot of their own
/// there and read all later backups.
/// </remarks>
public abstract class KeyCredential
{
    private KeyCredential()
    {
    }

    internal abstract string SlotKind { get; }

    /// <summary>For repositories made with <c>encryption: false</c>: the master key lies open in its slot.</summary>
    public static KeyCredential Clear { get; } = new ClearCredential();

    /// <param name="passphrase">Its bytes (UTF-8), not empty; wiping them is the caller's.</param>
    public static KeyCredential Passphrase(ReadOnlyMemory<byte> passphrase) => passphrase.IsEmpty
        ? throw new WrongKeyException("The passphrase is empty: set the one that keys.passphrase refers to.")
        : new PassphraseCredential(passphrase);

    /// <param name="key">The recovery key; disposing of it is the caller's.</param>
    public static KeyCredential Recovery(RecoveryKey key) => new RecoveryCredential(key);

    /// <param name="service">Holds the key; disposing of it is the caller's.</param>
    public static KeyCredential Service(IKeyService service) => new ServiceCredential(service);

    internal sealed class ClearCredential : KeyCredential
    {
        internal override string SlotKind => KeySlot.ClearKind;
    }

    internal sealed class PassphraseCredential(ReadOnlyMemory<byte> bytes) : KeyCredential
    {
        internal ReadOnlyMemory<byte> Bytes { get; } = bytes;

        internal override string SlotKind => KeySlot.PassphraseKind;
    }

    internal sealed class RecoveryCredential(RecoveryKey key) : KeyCredential
    {
        internal RecoveryKey Key { get; } = key;

        internal override string SlotKind => KeySlot.RecoveryKind;
    }

    internal sealed class ServiceCredential(IKeyService service) : KeyCredential
    {
        internal IKeyService KeyService { get; } = service;

        internal override string SlotKind => KeyService.SlotKind;
    }
}
