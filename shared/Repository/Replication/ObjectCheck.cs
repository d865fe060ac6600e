using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Whether the bytes of an object are what was written under its name, whoever hands them over: a pack by its name, which is its hash;
/// sealed objects and index segments by their digest and their encryption; keys by their form. Safe for concurrent use.
/// </summary>
internal sealed class ObjectCheck(UnlockedRepository unlocked)
{
    private const int EpochAt = 8;

    private readonly RepositoryKeys _keys = new(unlocked.Keys, unlocked.Config.RepositoryId);

    /// <summary>Where keys of sessions of write-only writers are read from; null: nothing such is met.</summary>
    public IObjectStore? Keys { get; init; }

    /// <summary>
    /// The last epoch whose key is where objects are copied to: nothing may come there before its key, whatever the primary has learned since.
    /// </summary>
    public uint LastEpoch { get; set; } = uint.MaxValue;

    /// <summary>Whether the name is one that a repository's objects have.</summary>
    public static bool IsKnown(string name) =>
        name == KeyObjects.Config || name.StartsWith(KeyObjects.Prefix, StringComparison.Ordinal) || IndexFormat.IsName(name)
        || PackFormat.TryParseName(name, stackalloc byte[32]) || RecordCheck.KindOf(name) is not null
        || name.StartsWith(ReplicatedObjects.Audit, StringComparison.Ordinal);

    /// <summary>What is wrong with the bytes; null: nothing.</summary>
    /// <exception cref="NewEpochException">They are whole, but need a key that came after the keys were read.</exception>
    public async ValueTask<string?> FindProblemAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty) return "it is empty (0 bytes)";
        var hash = new byte[32];
        if (PackFormat.TryParseName(name, hash))
            return SHA256.HashData(bytes.Span).AsSpan().SequenceEqual(hash) ? null : "its bytes do not have the hash that is its name";
        if (name == KeyObjects.Config || name.StartsWith(KeyObjects.Prefix, StringComparison.Ordinal)) return FindKeyProblem(name, bytes);
        try
        {
            if (!HasDigest(bytes.Span)) return "its bytes do not have the digest at their end";
            var epoch = BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[EpochAt..]);
            if (!EpochKinds.IsRepository(epoch) && Keys is not null) await unlocked.Keys.MeetEpochAsync(Keys, epoch, cancellationToken).ConfigureAwait(false);
            else if (epoch > LastEpoch || !unlocked.Keys.HasEpoch(epoch)) throw new NewEpochException(name, epoch);
            var store = new OneObject(name, bytes);
            if (IndexFormat.IsName(name)) await ReadSegmentAsync(store, cancellationToken).ConfigureAwait(false);
            else await new SealedObjects(store, unlocked.Keys, unlocked.Config.RepositoryId)
                    .ReadAsync(KindOf(name, bytes.Span), name, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is DamageException or NewerFormatException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    private static bool HasDigest(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 64 && SHA256.HashData(bytes[..^32]).AsSpan().SequenceEqual(bytes[^32..]);

    /// <summary>Of the audit log, what it says of itself counts: any kind of this repository under this name.</summary>
    private static SealedKind KindOf(string name, ReadOnlySpan<byte> bytes) =>
        RecordCheck.KindOf(name) ?? (name.StartsWith(ReplicatedObjects.Audit, StringComparison.Ordinal) ? (SealedKind)bytes[5]
            : throw new DamageException(name, $"{name} is not an object of this repository."));

    /// <summary>Opens the front and every page.</summary>
    private async ValueTask ReadSegmentAsync(OneObject store, CancellationToken cancellationToken)
    {
        using var segment = await IndexSegment.OpenAsync(store, _keys, new IndexPageCache(0), store.Info, cancellationToken).ConfigureAwait(false);
        for (var page = 0; page < segment.PageCount; page++) await segment.ReadPageAsync(page, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>That key records open, only unlocking tells; here it is seen that they have not decayed into something else.</summary>
    private string? FindKeyProblem(string name, ReadOnlyMemory<byte> bytes)
    {
        var generation = unlocked.Config.KeyGeneration;
        try
        {
            if (name == KeyObjects.Config || name == KeyObjects.ConfigCopy(generation))
            {
                var config = RepositoryConfig.Parse(bytes, "memory");
                config.Verify(unlocked.Keys);
                return config.RepositoryId == unlocked.Config.RepositoryId ? null : "it is of another repository";
            }

            foreach (var prefix in new[] { KeyObjects.Slots(generation), KeyObjects.SlotWitnesses(generation) })
            {
                if (!name.StartsWith(prefix, StringComparison.Ordinal)) continue;
                KeySlot.Parse(name[prefix.Length..], bytes);
                return null;
            }

            if (name.StartsWith(KeyObjects.Sessions(generation), StringComparison.Ordinal))
            {
                SessionRecord.Parse(bytes.ToArray());
                return null;
            }

            using var document = JsonDocument.Parse(bytes);
            return null;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or RepositoryException)
        {
            return e.Message.TrimEnd('.');
        }
    }
}

/// <summary>An object needs the key of an epoch that began after the keys were read: open the repository again.</summary>
public sealed class NewEpochException(string name, uint epoch)
    : RepositoryException($"{name} was written in key epoch {epoch}, which began while this ran; run it again.");
