using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// The keys of an unlocked repository. Safe for concurrent use until disposed, which wipes them.
/// </summary>
public sealed class KeyRing : IDisposable
{
    private readonly SecretBytes _idKey;
    private readonly SecretBytes _chunkerSecret;
    private readonly SecretBytes? _configKey, _writersSecret, _subjectsKey;
    private readonly ConcurrentDictionary<uint, SecretBytes> _epochs = [];
    private readonly ConcurrentDictionary<uint, WriterSecrets> _sessions = [];
    private readonly EpochSource? _source;
    private readonly WriterSecrets? _writer;
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
        _writersSecret = KeyDerivation.Derive(repositorySecret.Span, "FunctionsBackup writers 1"u8);
        _subjectsKey = KeyDerivation.Derive(repositorySecret.Span, "FunctionsBackup subjects 1"u8);
        foreach (var (number, key) in epochs)
        {
            if (!EpochKinds.IsRepository(number) || key.Length != KeyDerivation.KeySize) throw new ArgumentException("An epoch has a number and 32 bytes.");
            _epochs[number] = SecretBytes.Copy(key.Span);
        }

        _currentEpoch = epochs.Keys.Max();
    }

    /// <summary>The keys of one session of a write-only writer: they open what that session writes, and nothing else.</summary>
    /// <param name="writer">Disposed with the ring.</param>
    /// <param name="session">Its number.</param>
    /// <param name="dataKey">Copied.</param>
    internal KeyRing(WriterSecrets writer, uint session, SecretBytes dataKey)
    {
        _writer = writer;
        _idKey = IdKeyOf(dataKey);
        _chunkerSecret = KeyDerivation.Derive(dataKey.Span, "FunctionsBackup chunker 1"u8);
        _sessions[session] = writer;
        _sessions[writer.Writer] = writer;
        _epochs[session] = SecretBytes.Copy(dataKey.Span);
        _epochs[writer.Writer] = SecretBytes.Copy(writer.AuditKey.Span);
        _currentEpoch = session;
    }

    /// <summary>Whether these are the keys of a write-only writer's session.</summary>
    public bool IsWriteOnly => _writer is not null;

    /// <summary>The key of chunk ids, 32 bytes; see <see cref="ChunkIdHasher"/>.</summary>
    public ReadOnlySpan<byte> IdKey => _idKey.Span;

    /// <summary>For <see cref="GearTable"/>, 32 bytes.</summary>
    public ReadOnlySpan<byte> ChunkerSecret => _chunkerSecret.Span;

    /// <summary>The epoch whose key new objects use: the newest that this ring has met, or the writer's session.</summary>
    public uint CurrentEpoch => Volatile.Read(ref _currentEpoch);

    internal ReadOnlySpan<byte> ConfigKey => (_configKey ?? throw new WriteOnlyException("Vouching for something")).Span;

    /// <summary>What the secrets of all write-only writers follow from.</summary>
    internal SecretBytes WritersSecret => _writersSecret ?? throw new WriteOnlyException("Letting a writer in");

    /// <summary>What stands for the name of a data subject: the first 16 bytes of HMAC-SHA-256.</summary>
    internal UInt128 PseudonymOf(ReadOnlySpan<byte> subject)
    {
        var key = _subjectsKey ?? throw new WriteOnlyException("Keeping the data of subjects under keys of their own");
        Span<byte> code = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key.Span, subject, code);
        return BinaryPrimitives.ReadUInt128BigEndian(code);
    }

    /// <summary>Epoch numbers come from objects and may be hostile: ask before deriving.</summary>
    public bool HasEpoch(uint epoch) => _epochs.ContainsKey(epoch);

    /// <summary>The writer that made what names this epoch, 8 hex digits; null: holders of the repository's keys, or it was not met.</summary>
    internal string? WriterOf(uint epoch) => _sessions.TryGetValue(epoch, out var writer) ? WriterNumber.Format(writer.Writer) : null;

    /// <summary>
    /// Names the chunks of packs of an epoch. Those of a writer's session have ids of their own, so that nothing of it can stand in for something
    /// that others stored, or an earlier session.
    /// </summary>
    /// <exception cref="RepositoryException">The ring has no such epoch.</exception>
    internal ChunkIdHasher CreateHasher(uint epoch)
    {
        if (!EpochKinds.IsSession(epoch)) return new ChunkIdHasher(_idKey.Span);
        if (!_epochs.TryGetValue(epoch, out var dataKey)) throw NoSuchEpoch(epoch);
        using var key = IdKeyOf(dataKey);
        return new ChunkIdHasher(key.Span);
    }

    /// <summary>
    /// Fetches the key of an epoch that began after the ring was made, or of a writer's session, if there is one: keys are rotated while others
    /// work. Call it before <see cref="HasEpoch"/> with every number that an object names.
    /// </summary>
    /// <exception cref="DamageException">The epoch's record is damaged.</exception>
    /// <exception cref="WriteOnlyException">The ring is a writer's, and the object none of its session.</exception>
    public ValueTask MeetEpochAsync(IObjectStore store, uint epoch, CancellationToken cancellationToken)
    {
        if (HasEpoch(epoch)) return ValueTask.CompletedTask;
        if (IsWriteOnly) throw new WriteOnlyException("Reading what others, or earlier sessions, have written");
        return _source is null ? ValueTask.CompletedTask : FetchAsync(_source, store, epoch, cancellationToken);
    }

    /// <summary>The AES-256-GCM key of one pack.</summary>
    /// <param name="epoch">An epoch of this ring.</param>
    /// <param name="salt">The pack's own random bytes, 32.</param>
    /// <exception cref="RepositoryException">The ring has no such epoch.</exception>
    public SecretBytes DerivePackKey(uint epoch, ReadOnlySpan<byte> salt) => Derive(epoch, "FunctionsBackup pack 1"u8, salt);

    /// <summary>The AES-256-GCM key of one sealed object; see <see cref="DerivePackKey"/>.</summary>
    internal SecretBytes DeriveObjectKey(uint epoch, ReadOnlySpan<byte> salt) => Derive(epoch, "FunctionsBackup sealed object 1"u8, salt);

    /// <summary>The epoch in which an object of this kind is made: a writer's entries of the audit log it must be able to read again.</summary>
    internal uint EpochFor(SealedKind kind) => _writer is not null && kind == SealedKind.AuditSegment ? _writer.Writer : CurrentEpoch;

    public void Dispose()
    {
        _idKey.Dispose();
        _chunkerSecret.Dispose();
        _configKey?.Dispose();
        _writersSecret?.Dispose();
        _subjectsKey?.Dispose();
        _writer?.Dispose();
        foreach (var key in _epochs.Values) key.Dispose();
        _source?.Dispose();
    }

    private async ValueTask FetchAsync(EpochSource source, IObjectStore store, uint epoch, CancellationToken cancellationToken)
    {
        if (!EpochKinds.IsRepository(epoch))
        {
            if (await source.ReadOfWriterAsync(store, epoch, WritersSecret, cancellationToken).ConfigureAwait(false) is not { } opened) return;
            _sessions.TryAdd(epoch, opened.Writer);
            if (!_epochs.TryAdd(epoch, opened.DataKey)) opened.DataKey.Dispose();
            return;
        }

        if (await source.ReadAsync(store, epoch, cancellationToken).ConfigureAwait(false) is not { } key) return;
        if (!_epochs.TryAdd(epoch, key)) key.Dispose();
        for (var known = CurrentEpoch; epoch > known; known = CurrentEpoch) Interlocked.CompareExchange(ref _currentEpoch, epoch, known);
    }

    private SecretBytes Derive(uint epoch, ReadOnlySpan<byte> purpose, ReadOnlySpan<byte> salt) =>
        _epochs.TryGetValue(epoch, out var key)
            ? KeyDerivation.Derive(key.Span, purpose, salt)
            : throw NoSuchEpoch(epoch);

    private static SecretBytes IdKeyOf(SecretBytes dataKey) => KeyDerivation.Derive(dataKey.Span, "FunctionsBackup chunk id 1"u8);

    private static RepositoryException NoSuchEpoch(uint epoch) =>
        new($"The repository has no key of epoch {epoch}: its record in keys/ is missing, or was added just now.");
}
