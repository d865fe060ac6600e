using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository;

/// <summary>The keys of a repository together with its id, which is bound into everything that they encrypt.</summary>
internal sealed class RepositoryKeys(KeyRing ring, string repositoryId)
{
    private readonly byte[] _id = Convert.FromHexString(repositoryId);

    public ReadOnlySpan<byte> RepositoryId => _id;

    public uint CurrentEpoch => ring.CurrentEpoch;

    public SecretBytes DerivePackKey(uint epoch, ReadOnlySpan<byte> salt) => ring.DerivePackKey(epoch, salt);

    public bool HasEpoch(uint epoch) => ring.HasEpoch(epoch);

    /// <inheritdoc cref="KeyRing.MeetEpochAsync"/>
    public ValueTask MeetEpochAsync(IObjectStore store, uint epoch, CancellationToken cancellationToken) =>
        ring.MeetEpochAsync(store, epoch, cancellationToken);

    /// <inheritdoc cref="KeyRing.IsWriteOnly"/>
    public bool IsWriteOnly => ring.IsWriteOnly;

    /// <inheritdoc cref="KeyRing.CreateHasher"/>
    public ChunkIdHasher CreateHasher(uint epoch) => ring.CreateHasher(epoch);
}
