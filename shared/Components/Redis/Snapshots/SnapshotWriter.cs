using System.Globalization;
using System.Security.Cryptography;
using FunctionsBackup.Components.Layers;
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

    private readonly BackupRepository _repository;
    private readonly BackupSession _session;
    private readonly RecordSpool _spool;
    private readonly SortedDictionary<string, ContentRef> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, long> _keys = [];
    private readonly byte[] _digest = new byte[LayerFormat.DigestSize];
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
            LayerFormat.Digest(_record.AsSpan(0, length + sha256.Length), _digest);
            name.CopyTo(_record.AsSpan(length));
            length += name.Length;
            _large.Dispose();
            _large = null;
        }
        else
        {
            record.Value.Span.CopyTo(_record.AsSpan(length));
            length += record.Value.Length;
            LayerFormat.Digest(_record.AsSpan(0, length), _digest);
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
        var cutMask = before?.CutMask ?? LayerFormat.CutMask(_spool.Bytes, _spool.Records);
        using var writer = new LayerWriter(_session, cutMask);
        string digest;
        var fingerprints = await Fingerprints.OpenAsync(_repository, layers, cancellationToken).ConfigureAwait(false);
        await using (fingerprints.ConfigureAwait(false))
        {
            using var merge = new LayerMerge(writer, fingerprints);
            await MergeAsync(merge, cancellationToken).ConfigureAwait(false);
            digest = await merge.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

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
            ContentDigest = digest,
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
        before.Layers.Count is > 0 and < LayerFormat.MaximumLayers && before.Layers.Skip(1).Sum(l => l.Bytes) <= before.Layers[0].Bytes * LayerFormat.MaximumDeltas;

    private async ValueTask<List<ContentRef>> FindLayersAsync(Snapshot parent, RedisBackupDetails before, CancellationToken cancellationToken)
    {
        var wanted = before.Layers.SelectMany(l => new[] { SnapshotFiles.Records(l.Name), SnapshotFiles.Fingerprints(l.Name) }).ToHashSet(StringComparer.Ordinal);
        await foreach (var entry in _repository.ReadCatalogAsync(parent, cancellationToken).ConfigureAwait(false))
            if (entry.Content is not null && wanted.Remove(System.Text.Encoding.UTF8.GetString(entry.Path.Span)))
                _files[System.Text.Encoding.UTF8.GetString(entry.Path.Span)] = entry.Content;
        if (wanted.Count > 0) throw new DamageException(parent.Id, $"{parent.Id} lacks {wanted.First()}; take the backup with --full.");
        return [.. before.Layers.Select(l => _files[SnapshotFiles.Fingerprints(l.Name)])];
    }

    /// <summary>All keys in the order of their hashes, group by group of those with one.</summary>
    private async ValueTask MergeAsync(LayerMerge merge, CancellationToken cancellationToken)
    {
        var group = new List<(ReadOnlyMemory<byte>, ReadOnlyMemory<byte>)>();
        for (var number = 0; number < _spool.Parts; number++)
        {
            var part = await _spool.TakeAsync(number, cancellationToken).ConfigureAwait(false);
            for (var at = 0; at < part.Count;)
            {
                var end = at + 1;
                while (end < part.Count && part.Hash(end) == part.Hash(at)) end++;
                group.Clear();
                for (var i = at; i < end; i++)
                    if (end - at == 1 || !IsReadAgain(part, i, end)) group.Add((part.Digest(i), part.Record(i)));
                await merge.AddAsync(part.Hash(at), group, cancellationToken).ConfigureAwait(false);
                at = end;
            }
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

    private async ValueTask WriteCatalogAsync(CancellationToken cancellationToken)
    {
        var entries = _files.Select(f => new CatalogEntry { Path = ByteName.Parse(f.Key), Kind = EntryKind.File, Mode = 0b110_000_000, Content = f.Value }).ToList();
        entries.AddRange(_files.Keys.Select(k => k[..k.IndexOf('/')]).Distinct()
            .Select(folder => new CatalogEntry { Path = ByteName.Parse(folder), Kind = EntryKind.Directory, Mode = 0b111_000_000 }));
        entries.Sort((a, b) => CatalogOrder.Compare(a.Path.Span, b.Path.Span));
        foreach (var entry in entries) await _session.Catalog.AddAsync(entry, cancellationToken).ConfigureAwait(false);
    }
}
