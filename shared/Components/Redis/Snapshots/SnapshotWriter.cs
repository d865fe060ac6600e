using System.Globalization;
using System.Security.Cryptography;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>
/// Takes keys in any order, and makes a snapshot of them: what is as it was in the snapshot before is not stored again. Not for concurrent use.
/// </summary>
internal sealed class SnapshotWriter : IDisposable
{
    /// <summary>Bytes of records that wait in memory for being sorted; more go to a file.</summary>
    private const long MemoryLimit = 48L << 20;

    /// <summary>Layers of a snapshot at most, and how much of the full one all others may be together.</summary>
    private const int MaximumLayers = 8;
    private const double MaximumDeltas = 0.3;

    private const int TargetChunk = 64 << 10;

    private readonly BackupRepository _repository;
    private readonly BackupSession _session;
    private readonly RecordSpool _spool;
    private readonly SortedDictionary<string, ContentRef> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, long> _keys = [];
    private readonly byte[] _digest = new byte[KeyHash.DigestSize];
    private byte[] _record = new byte[RdbReader.InlineLimit + 4096];
    private LargeValue? _large;
    private long _expiring, _valueBytes;

    /// <param name="repository">Where the snapshot before is.</param>
    /// <param name="session">Where this one goes.</param>
    /// <param name="expectedBytes">About so many bytes will come.</param>
    public SnapshotWriter(BackupRepository repository, BackupSession session, long expectedBytes) =>
        (_repository, _session, _spool) = (repository, session, new RecordSpool(expectedBytes, MemoryLimit));

    public long Records => _spool.Records;

    /// <summary>A place for the value of a key that is large: its record must come next.</summary>
    public ValueTask<IRdbValueSink> OpenLargeAsync()
    {
        _large?.Dispose();
        _large = new LargeValue(_session);
        return new(_large);
    }

    public async ValueTask AddAsync(RdbRecord record, CancellationToken cancellationToken)
    {
        var room = RecordCodec.MaximumOverhead + record.Key.Length + RdbReader.InlineLimit;
        if (_record.Length < room) _record = new byte[room];
        var length = RecordCodec.WriteHead(record, _record);
        if (record.IsLarge)
        {
            var (content, sha256) = await _large!.CompleteAsync(cancellationToken).ConfigureAwait(false);
            // The name of the value is that of its key: one that is changed replaces the one before.
            var name = ValueName(record.Database, record.Key.Span);
            _files[SnapshotFiles.Value(name)] = content;
            sha256.CopyTo(_record.AsSpan(length));
            KeyHash.Digest(_record.AsSpan(0, length + sha256.Length), _digest);
            name.CopyTo(_record.AsSpan(length));
            length += name.Length;
            _large.Dispose();
            _large = null;
        }
        else
        {
            record.Value.Span.CopyTo(_record.AsSpan(length));
            length += record.Value.Length;
            KeyHash.Digest(_record.AsSpan(0, length), _digest);
        }

        _keys[record.Database] = _keys.GetValueOrDefault(record.Database) + 1;
        if (record.ExpiresAt >= 0) _expiring++;
        _valueBytes += record.ValueLength;
        await _spool.AddAsync(KeyHash.Of(record.Database, record.Key.Span), _digest, _record.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask AddFunctionAsync(int index, byte[] library, CancellationToken cancellationToken) =>
        _files[SnapshotFiles.Function(index)] = await _session.StoreAsync(new BytesSource(library), ContentOptions.ContentDefined, cancellationToken).ConfigureAwait(false);

    /// <summary>Sorts, compares with the snapshot before, stores what is new, and writes the catalog.</summary>
    /// <param name="parent">The snapshot before; null: a full one.</param>
    /// <param name="details">What is known already.</param>
    /// <param name="name">Of the layer: sorts by time, and no other has it.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The details, and whether layers of the parent are in use.</returns>
    public async ValueTask<(RedisBackupDetails Details, bool UsesParent)> CompleteAsync(
        Snapshot? parent, RedisBackupDetails details, string name, CancellationToken cancellationToken)
    {
        var before = RedisBackupDetails.FromJson(parent?.Details);
        var usesParent = before is not null && IsWorthADelta(before);
        var layers = usesParent ? await FindLayersAsync(parent!, before!, cancellationToken).ConfigureAwait(false) : [];
        var cutMask = usesParent || before is not null ? before!.CutMask : CutMask();
        using var writer = new LayerWriter(_session, cutMask);
        using var content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var fingerprints = await Fingerprints.OpenAsync(_repository, layers, cancellationToken).ConfigureAwait(false);
        await using (fingerprints.ConfigureAwait(false)) await MergeAsync(writer, fingerprints, content, cancellationToken).ConfigureAwait(false);
        var (records, marks) = await writer.CompleteAsync(cancellationToken).ConfigureAwait(false);
        var all = usesParent ? before!.Layers.ToList() : [];
        if (writer.Records + writer.Tombstones > 0 || all.Count == 0)
        {
            all.Add(new RedisLayer(name, writer.Records, writer.Tombstones, writer.Bytes));
            (_files[SnapshotFiles.Records(name)], _files[SnapshotFiles.Fingerprints(name)]) = (records, marks);
        }

        await WriteCatalogAsync(cancellationToken).ConfigureAwait(false);
        return (details with
        {
            Keys = _keys.ToDictionary(k => k.Key.ToString(CultureInfo.InvariantCulture), k => k.Value),
            Expiring = _expiring,
            ValueBytes = _valueBytes,
            Layers = all,
            CutMask = cutMask,
            ContentDigest = Convert.ToHexStringLower(content.GetHashAndReset()),
        }, usesParent);
    }

    public void Dispose()
    {
        _spool.Dispose();
        _large?.Dispose();
    }

    /// <summary>The name of a large value: the first 16 bytes of SHA-256 over the database's number and the key.</summary>
    private static byte[] ValueName(int database, ReadOnlySpan<byte> key)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(database));
        hash.AppendData(key);
        return hash.GetHashAndReset()[..RecordCodec.NameSize];
    }

    private static bool IsWorthADelta(RedisBackupDetails before) =>
        before.Layers.Count is > 0 and < MaximumLayers && before.Layers.Skip(1).Sum(l => l.Bytes) <= before.Layers[0].Bytes * MaximumDeltas;

    /// <summary>Chunks of about 64 KiB, by how long the records are.</summary>
    private ulong CutMask()
    {
        var perChunk = Math.Max(1, TargetChunk / Math.Max(1, _spool.Bytes / Math.Max(1, _spool.Records)));
        return (ulong)Math.Max(0, (1L << (int)Math.Min(20, Math.Round(Math.Log2(perChunk)))) - 1);
    }

    private async ValueTask<List<ContentRef>> FindLayersAsync(Snapshot parent, RedisBackupDetails before, CancellationToken cancellationToken)
    {
        var wanted = before.Layers.SelectMany(l => new[] { SnapshotFiles.Records(l.Name), SnapshotFiles.Fingerprints(l.Name) }).ToHashSet(StringComparer.Ordinal);
        await foreach (var entry in _repository.ReadCatalogAsync(parent, cancellationToken).ConfigureAwait(false))
            if (entry.Content is not null && wanted.Remove(System.Text.Encoding.UTF8.GetString(entry.Path.Span)))
                _files[System.Text.Encoding.UTF8.GetString(entry.Path.Span)] = entry.Content;
        if (wanted.Count > 0) throw new DamageException(parent.Id, $"{parent.Id} lacks {wanted.First()}; take the backup with --full.");
        return [.. before.Layers.Select(l => _files[SnapshotFiles.Fingerprints(l.Name)])];
    }

    /// <summary>Goes through what is now and what was, both in the order of hashes, group by group of keys with one hash.</summary>
    private async ValueTask MergeAsync(LayerWriter writer, Fingerprints before, IncrementalHash content, CancellationToken cancellationToken)
    {
        var (now, was, group) = (new List<UInt128>(), new List<UInt128>(), new List<int>());
        for (var number = 0; number < _spool.Parts; number++)
        {
            var part = await _spool.TakeAsync(number, cancellationToken).ConfigureAwait(false);
            for (var at = 0; at < part.Count;)
            {
                var hash = part.Hash(at);
                while (before.Next is { } gone && gone < hash) await RemoveAsync(gone).ConfigureAwait(false);
                var end = at + 1;
                while (end < part.Count && part.Hash(end) == hash) end++;
                group.Clear();
                for (var i = at; i < end; i++)
                    if (end - at == 1 || !IsReadAgain(part, i, end)) group.Add(i);
                now.Clear();
                foreach (var i in group) now.Add(Number(part.Digest(i)));
                now.Sort();
                was.Clear();
                if (before.Next == hash) await before.TakeAsync(was, cancellationToken).ConfigureAwait(false);
                Append(content, hash, now);
                if (!now.SequenceEqual(was))
                    foreach (var i in group) await writer.AddAsync(hash, part.Digest(i), part.Record(i), cancellationToken).ConfigureAwait(false);
                at = end;
            }
        }

        while (before.Next is { } last) await RemoveAsync(last).ConfigureAwait(false);

        async ValueTask RemoveAsync(ulong hash)
        {
            await before.TakeAsync(was, cancellationToken).ConfigureAwait(false);
            if (was.Count > 0) await writer.AddTombstoneAsync(hash, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A scan may give a key more than once: what was read last counts.</summary>
    private bool IsReadAgain(SpooledPart part, int index, int end)
    {
        RecordCodec.Read(part.Record(index), out var record, out _, out _);
        for (var i = index + 1; i < end; i++)
        {
            RecordCodec.Read(part.Record(i), out var later, out _, out _);
            if (later.Database != record.Database || !later.Key.Span.SequenceEqual(record.Key.Span)) continue;
            _keys[record.Database]--;
            if (record.ExpiresAt >= 0) _expiring--;
            _valueBytes -= record.ValueLength;
            return true;
        }

        return false;
    }

    private static UInt128 Number(ReadOnlyMemory<byte> digest) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest.Span);

    /// <summary>The digest of the whole: of each group its hash and the sorted digests of its keys.</summary>
    internal static void Append(IncrementalHash content, ulong hash, List<UInt128> digests)
    {
        Span<byte> bytes = stackalloc byte[24];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, hash);
        foreach (var digest in digests)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes[8..], digest);
            content.AppendData(bytes);
        }
    }

    private async ValueTask WriteCatalogAsync(CancellationToken cancellationToken)
    {
        var entries = _files.Select(f => new CatalogEntry { Path = ByteName.Parse(f.Key), Kind = EntryKind.File, Mode = 0b110_000_000, Content = f.Value }).ToList();
        entries.AddRange(_files.Keys.Select(k => k[..k.IndexOf('/')]).Distinct()
            .Select(folder => new CatalogEntry { Path = ByteName.Parse(folder), Kind = EntryKind.Directory, Mode = 0b111_000_000 }));
        entries.Sort((a, b) => CatalogOrder.Compare(a.Path.Span, b.Path.Span));
        foreach (var entry in entries) await _session.Catalog.AddAsync(entry, cancellationToken).ConfigureAwait(false);
    }
}
