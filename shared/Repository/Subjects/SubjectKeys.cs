using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Subjects;

/// <summary>What is known of a key: it, or that it was destroyed, or neither, which is damage.</summary>
/// <param name="Key">Stays the lender's.</param>
/// <param name="ErasedAt">When it was destroyed.</param>
public readonly record struct SubjectLookup(SubjectKey? Key, DateTimeOffset? ErasedAt);

/// <summary>That a subject's key was destroyed.</summary>
/// <param name="At">When it was asked for.</param>
/// <param name="By">Who asked.</param>
/// <param name="Reference">What the request is called elsewhere; never the subject's name.</param>
public sealed record Tombstone(DateTimeOffset At, string By, string? Reference);

/// <summary>
/// The keys of data subjects: <c>subjects/PSEUDONYM/GENERATION</c>, and <c>erased/PSEUDONYM/GENERATION</c> for those that were destroyed. Which key is
/// used is decided by the creation of its object; a key that has a tombstone is never used again, wherever a copy of it turns up. Safe for
/// concurrent use.
/// </summary>
public sealed class SubjectKeys : IDisposable
{
    private const int TombstoneAttempts = 5;

    private readonly IObjectStore _store;
    private readonly SealedObjects _sealed;
    private readonly KeyRing _keys;
    private readonly string _repositoryId;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<SubjectRef, SubjectLookup> _known = [];
    private readonly ConcurrentDictionary<string, CurrentKey> _current = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private Dictionary<UInt128, (uint Key, uint Erased)>? _newest;

    internal SubjectKeys(IObjectStore store, SealedObjects sealedObjects, KeyRing keys, string repositoryId, TimeProvider time) =>
        (_store, _sealed, _keys, _repositoryId, _time) = (store, sealedObjects, keys, repositoryId, time);

    /// <summary>What stands for a subject's name in the repository: 16 bytes of HMAC-SHA-256 with a key that follows from the repository's secret.</summary>
    public UInt128 PseudonymOf(string subject) => _keys.PseudonymOf(Encoding.UTF8.GetBytes(subject));

    /// <summary>The key to seal a subject's contents with; made if there is none.</summary>
    /// <returns>The key, and when the subject was erased last.</returns>
    public async ValueTask<(SubjectKey Key, DateTimeOffset? ErasedAt)> GetCurrentAsync(string subject, CancellationToken cancellationToken)
    {
        if (_current.TryGetValue(subject, out var current)) return (current.Key, current.ErasedAt);
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_current.TryGetValue(subject, out current)) return (current.Key, current.ErasedAt);
            _newest ??= await ListNewestAsync(SubjectRef.Keys, SubjectRef.Tombstones, cancellationToken).ConfigureAwait(false);
            var pseudonym = PseudonymOf(subject);
            current = await FindOrCreateAsync(pseudonym, _newest.GetValueOrDefault(pseudonym), cancellationToken).ConfigureAwait(false);
            _current[subject] = current;
            return (current.Key, current.ErasedAt);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The key that contents were sealed with.</summary>
    /// <exception cref="DamageException">Its object, or its tombstone, is damaged.</exception>
    public async ValueTask<SubjectLookup> FindAsync(SubjectRef reference, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(reference, out var known)) return known;
        // The tombstone first: a copy of the key that came back from somewhere is none.
        var found = await FindTombstoneAsync(reference, cancellationToken).ConfigureAwait(false) is { } tombstone
            ? new SubjectLookup(null, tombstone.At)
            : new SubjectLookup(await ReadAsync(reference, cancellationToken).ConfigureAwait(false), null);
        if (_known.TryAdd(reference, found)) return found;
        found.Key?.Dispose();
        return _known[reference];
    }

    /// <summary>That a key was destroyed; null: it was not.</summary>
    /// <exception cref="DamageException">It is damaged.</exception>
    public async ValueTask<Tombstone?> FindTombstoneAsync(SubjectRef reference, CancellationToken cancellationToken)
    {
        var name = reference.TombstoneName;
        if (await _sealed.ReadAsync(SealedKind.Tombstone, name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        try
        {
            if (JsonSerializer.Deserialize(content.Body, TombstoneJson.Default.Tombstone) is { } tombstone) return tombstone;
        }
        catch (JsonException e)
        {
            throw new DamageException(name, $"{name} is damaged: {e.Message}", e);
        }

        throw new DamageException(name, $"{name} is damaged: it says nothing.");
    }

    /// <summary>All keys that a subject has, or had: in order.</summary>
    /// <param name="subject">Its name.</param>
    /// <param name="copies">Copies of the repository in which to look besides.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<IReadOnlyList<SubjectRef>> ListAsync(
        string subject, IReadOnlyList<IObjectStore> copies, CancellationToken cancellationToken)
    {
        var suffix = SubjectRef.Format(PseudonymOf(subject)) + "/";
        var found = new SortedDictionary<uint, SubjectRef>();
        foreach (var store in copies.Prepend(_store))
            foreach (var prefix in new[] { SubjectRef.Keys, SubjectRef.Tombstones })
                await foreach (var info in store.ListAsync(prefix + suffix, cancellationToken).ConfigureAwait(false))
                    if (SubjectRef.Parse(info.Name) is { } reference) found[reference.Generation] = reference;
        return [.. found.Values];
    }

    /// <summary>Says that a key is destroyed from now on. Durable on return; the key itself is still to be removed.</summary>
    internal async ValueTask AddTombstoneAsync(SubjectRef reference, Tombstone tombstone, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(tombstone, TombstoneJson.Default.Tombstone);
        try
        {
            await CreateTombstoneAsync(reference, body, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _known.TryRemove(reference, out _);
        }
    }

    private async ValueTask CreateTombstoneAsync(SubjectRef reference, byte[] body, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < TombstoneAttempts; attempt++)
        {
            if (await _sealed.CreateAsync(SealedKind.Tombstone, reference.TombstoneName, default, body, cancellationToken).ConfigureAwait(false)) return;
            try
            {
                if (await FindTombstoneAsync(reference, cancellationToken).ConfigureAwait(false) is not null) return;
            }
            catch (DamageException)
            {
                await _store.DeleteOrHideAsync(reference.TombstoneName, cancellationToken).ConfigureAwait(false); // no tombstone: nobody who holds the keys made it so
            }
        }

        throw new RepositoryException($"Nothing was erased: somebody keeps putting something else in the place of {reference.TombstoneName}; find out who.");
    }

    public void Dispose()
    {
        foreach (var known in _known.Values) known.Key?.Dispose();
        _gate.Dispose();
    }

    private async ValueTask<CurrentKey> FindOrCreateAsync(UInt128 pseudonym, (uint Key, uint Erased) newest, CancellationToken cancellationToken)
    {
        var reference = new SubjectRef(pseudonym, Math.Max(Math.Max(newest.Key, newest.Erased), 1));
        DateTimeOffset? erasedAt = null;
        while (true)
        {
            SubjectLookup found;
            try
            {
                found = await FindAsync(reference, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException)
            {
                // Backups go on with the next key; verification names what is damaged.
                reference = reference.Next();
                continue;
            }

            if (found.Key is { } key) return new CurrentKey(key, erasedAt ?? await LastErasureAsync(reference, cancellationToken).ConfigureAwait(false));
            if (found.ErasedAt is { } at)
            {
                (reference, erasedAt) = (reference.Next(), at);
                continue;
            }

            _known.TryRemove(reference, out _);
            using var fresh = SecretBytes.Random(KeyDerivation.KeySize);
            // False: somebody else was faster, and theirs is the key.
            await _sealed.CreateAsync(SealedKind.SubjectKey, reference.KeyName, default, fresh.Span.ToArray(), cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<DateTimeOffset?> LastErasureAsync(SubjectRef reference, CancellationToken cancellationToken)
    {
        try
        {
            return reference.Generation > 1
                ? (await FindTombstoneAsync(reference with { Generation = reference.Generation - 1 }, cancellationToken).ConfigureAwait(false))?.At
                : null;
        }
        catch (DamageException)
        {
            return null;
        }
    }

    private async ValueTask<SubjectKey?> ReadAsync(SubjectRef reference, CancellationToken cancellationToken)
    {
        if (await _sealed.ReadAsync(SealedKind.SubjectKey, reference.KeyName, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        return content.Body.Length == KeyDerivation.KeySize
            ? new SubjectKey(reference, _repositoryId, content.Body)
            : throw new DamageException(reference.KeyName, $"{reference.KeyName} is damaged: it is no key; put it back from a replica.");
    }

    /// <summary>Of each subject the newest key and the newest tombstone: one pass over both prefixes.</summary>
    private async ValueTask<Dictionary<UInt128, (uint Key, uint Erased)>> ListNewestAsync(
        string keys, string tombstones, CancellationToken cancellationToken)
    {
        var newest = new Dictionary<UInt128, (uint Key, uint Erased)>();
        foreach (var prefix in new[] { keys, tombstones })
            await foreach (var info in _store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            {
                if (SubjectRef.Parse(info.Name) is not { } reference) continue;
                var (key, erased) = newest.GetValueOrDefault(reference.Pseudonym);
                newest[reference.Pseudonym] = prefix == keys
                    ? (Math.Max(key, reference.Generation), erased)
                    : (key, Math.Max(erased, reference.Generation));
            }

        return newest;
    }

    private sealed record CurrentKey(SubjectKey Key, DateTimeOffset? ErasedAt);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Tombstone))]
internal sealed partial class TombstoneJson : JsonSerializerContext;
