#pragma warning disable CA1822, CA1065 // contracts first; bodies follow
namespace FunctionsBackup.Repository.Sealing;

/// <summary>What a sealed object is; bound into its encryption, so that one cannot stand in for another (FORMAT.md §2).</summary>
public enum SealedKind : byte
{
    Snapshot = 1,
    IndexSegment = 2,
    Pin = 3,
    VerificationResult = 4,
    CollectionMark = 5,
    DamageRecord = 6,
    WalSegment = 7,
    WalPart = 8,
    TimelineHistory = 9,
}

/// <summary>
/// Small write-once objects, each encrypted, compressed and authenticated on its own, bound to its kind, its name and the repository.
/// An object has a header (facts, up to 64 KiB, readable with one short ranged read) and a body.
/// </summary>
public sealed class SealedObjects
{
    /// <summary>Creates the object if absent; durable on return.</summary>
    /// <returns>False if an object of that name exists already.</returns>
    public ValueTask<bool> CreateAsync(
        SealedKind kind, string name, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>The header alone, or null if there is no such object.</summary>
    /// <exception cref="DamageException">It is not what was written under this name.</exception>
    public ValueTask<byte[]?> ReadHeaderAsync(SealedKind kind, string name, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Header and body, or null if there is no such object.</summary>
    /// <exception cref="DamageException">It is not what was written under this name.</exception>
    public ValueTask<SealedContent?> ReadAsync(SealedKind kind, string name, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>A sealed object, opened.</summary>
public sealed record SealedContent(byte[] Header, byte[] Body);
