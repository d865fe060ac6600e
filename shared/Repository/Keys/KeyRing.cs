using System.Collections.Concurrent;
using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// The keys of an unlocked repository. Safe for concurrent use until disposed, which wipes them.
/// </summary>
public sealed class KeyRing : IDisposable
{
    private readonly SecretBytes _idKey;
    private readonly SecretBytes _chunkerSecret;
    private readonly SecretBytes _configKey;
    private readonly ConcurrentDictionary<uint, SecretBytes> _epochs = [];
    private readonly EpochSource? _source;
    private uint _currentEpoch;

    /// <param name="repositorySecret">32 bytes that never change: chunk ids and cuts follow from them.</param>
    /// <param name="epochs">Data keys, 32 bytes each, by their number from 1 on; copied.</param>
    public KeyRing(SecretBytes repositorySecret, IReadOnlyDictionary<uint, SecretBytes> epochs) : this(repositorySecret, epochs, null)
    {
    }

    /// <param name="repositorySecret">As above.</param>
    /// <param name="epochs">As above.</param>
    /// <param name="source">Where epochs that begin later come from; disposed with the ring.</param>
    internal KeyRing(SecretBytes repositorySecret, IReadOnlyDictionary<uint, SecretBytes> epochs, EpochSource? source)
    {
        _source = source;
        if (epochs.Count == 0) throw new ArgumentException("A key ring needs an epoch.", nameof(epochs));
        _idKey = KeyDerivation.Derive(repositorySecret.Span, "FunctionsBackup chunk id 1"u8);
        _chunkerSecret = KeyDerivation.Derive(repositorySecret.Span, "FunctionsBackup chunker 1"u8);
        _configKey = KeyDerivation.Derive(repositorySecret.Span, "FunctionsBackup config 1"u8);
        foreach (var (number, key) in epochs)
        {
            if (number == 0 || key.Length != KeyDerivation.KeySize) throw new ArgumentException("An epoch has a number and 32 bytes.");
            _epochs[number] = SecretBytes.Copy(key.Span);
        }

        _currentEpoch = epochs.Keys.Max();
    }

    /// <summary>The key of chunk ids, 32 bytes; see <see cref="ChunkIdHasher"/>.</summary>
    public ReadOnlySpan<byte> IdKey => _idKey.Span;

    /// <summary>For <see cref="GearTable"/>, 32 bytes.</summary>
    public ReadOnlySpan<byte> ChunkerSecret => _chunkerSecret.Span;

    /// <summary>The epoch whose key new objects use: the newest that this ring has met.</summary>
    public uint CurrentEpoch => Volatile.Read(ref _currentEpoch);

    internal ReadOnlySpan<byte> ConfigKey => _configKey.Span;

    /// <summary>Epoch numbers come from objects and may be hostile: ask before deriving.</summary>
    public bool HasEpoch(uint epoch) => _epochs.ContainsKey(epoch);

    /// <summary>
    /// Fetches the key of an epoch that began after the ring was made, if there is one: keys are rotated while others work. Call it before
    /// <see cref="HasEpoch"/> with every number that an object names.
    /// </summary>
    /// <exception cref="DamageException">The epoch's record is damaged.</exception>
    public ValueTask MeetEpochAsync(IObjectStore store, uint epoch, CancellationToken cancellationToken) =>
        _source is null || HasEpoch(epoch) ? ValueTask.CompletedTask : FetchAsync(_source, store, epoch, cancellationToken);

    /// <summary>The AES-256-GCM key of one pack.</summary>
    /// <param name="epoch">An epoch of this ring.</param>
    /// <param name="salt">The pack's own random bytes, 32.</param>
    /// <exception cref="RepositoryException">The ring has no such epoch.</exception>
    public SecretBytes DerivePackKey(uint epoch, ReadOnlySpan<byte> salt) => Derive(epoch, "FunctionsBackup pack 1"u8, salt);

    /// <summary>The AES-256-GCM key of one sealed object; see <see cref="DerivePackKey"/>.</summary>
    internal SecretBytes DeriveObjectKey(uint epoch, ReadOnlySpan<byte> salt) => Derive(epoch, "FunctionsBackup sealed object 1"u8, salt);

    public void Dispose()
    {
        _idKey.Dispose();
        _chunkerSecret.Dispose();
        _configKey.Dispose();
        foreach (var key in _epochs.Values) key.Dispose();
        _source?.Dispose();
    }

    private async ValueTask FetchAsync(EpochSource source, IObjectStore store, uint epoch, CancellationToken cancellationToken)
    {
        if (await source.ReadAsync(store, epoch, cancellationToken).ConfigureAwait(false) is not { } key) return;
        if (!_epochs.TryAdd(epoch, key)) key.Dispose();
        for (var known = CurrentEpoch; epoch > known; known = CurrentEpoch) Interlocked.CompareExchange(ref _currentEpoch, epoch, known);
    }

    private SecretBytes Derive(uint epoch, ReadOnlySpan<byte> purpose, ReadOnlySpan<byte> salt) =>
        _epochs.TryGetValue(epoch, out var key)
            ? KeyDerivation.Derive(key.Span, purpose, salt)
            : throw new RepositoryException(
                $"The repository has no key of epoch {epoch}: its record in keys/ is missing, or was added just now.");
}
