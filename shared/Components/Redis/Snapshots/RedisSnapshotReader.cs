using System.Runtime.CompilerServices;
using System.Text;
using FunctionsBackup.Components.Layers;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>A key of a snapshot.</summary>
/// <param name="Record">Memory that it refers to is good until the next one is read.</param>
/// <param name="Large">Where its value is, if that is not in the record.</param>
public readonly record struct StoredRecord(RdbRecord Record, ContentRef? Large);

/// <summary>Reads a snapshot of Redis: all keys as they were, from all its layers. Not for concurrent use.</summary>
public sealed class RedisSnapshotReader
{
    private readonly BackupRepository _repository;
    private readonly Snapshot _snapshot;
    private readonly Dictionary<string, ContentRef> _files;

    private RedisSnapshotReader(BackupRepository repository, Snapshot snapshot, RedisBackupDetails details, Dictionary<string, ContentRef> files) =>
        (_repository, _snapshot, Details, _files) = (repository, snapshot, details, files);

    public RedisBackupDetails Details { get; }

    /// <summary>Bytes of the largest value that is a content of its own; 0: there is none.</summary>
    public long LargestValue =>
        _files.Where(f => f.Key.StartsWith(SnapshotFiles.Values + "/", StringComparison.Ordinal)).Select(f => f.Value.Size).DefaultIfEmpty().Max();

    /// <exception cref="RepositoryException">It is no snapshot of Redis, or another version wrote it.</exception>
    public static async ValueTask<RedisSnapshotReader> OpenAsync(BackupRepository repository, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var details = RedisBackupDetails.FromJson(snapshot.Details)
            ?? throw new RepositoryException($"{snapshot.Id} is no snapshot of Redis that this version can read; was it taken by a newer one?");
        var files = new Dictionary<string, ContentRef>(StringComparer.Ordinal);
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
            if (entry.Content is { } content) files.Add(Encoding.UTF8.GetString(entry.Path.Span), content);
        return new RedisSnapshotReader(repository, snapshot, details, files);
    }

    /// <summary>The libraries of functions, as FUNCTION LOAD takes them.</summary>
    public async IAsyncEnumerable<byte[]> ReadFunctionsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var i = 0; i < Details.Functions; i++)
        {
            var content = Find(SnapshotFiles.Function(i));
            var bytes = new byte[content.Size];
            var stream = _repository.OpenContent(content);
            await using (stream.ConfigureAwait(false)) await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            yield return bytes;
        }
    }

    public Stream OpenValue(ContentRef large) => _repository.OpenContent(large);

    /// <summary>
    /// All keys, in the order of their hashes. At the end, what was read is compared with the digest in the record; values that are large count by the hash of
    /// their bytes, which whoever reads them passes on to <paramref name="largeHash"/>'s result; without it, nothing is compared.
    /// </summary>
    /// <param name="largeHash">SHA-256 of the value of the record that was given last, if it is large.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DamageException">It is not what was written.</exception>
    public async IAsyncEnumerable<StoredRecord> ReadAsync(Func<byte[]>? largeHash, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var content = new ContentDigest();
        var digest = new byte[LayerFormat.DigestSize];
        var layers = Details.Layers.Select(l => new LayerStream(
            _repository.OpenContent(Find(SnapshotFiles.Records(l.Name))), _snapshot.Id, static bytes => RecordCodec.Read(bytes, out _, out _, out _))).ToList();
        await foreach (var (number, bytes) in LayerStream.MergeAsync(layers, cancellationToken).ConfigureAwait(false))
        {
            RecordCodec.Read(bytes, out var record, out var name, out _);
            var large = record.IsLarge ? Find(SnapshotFiles.Value(name.Span)) : null;
            if (large is not null && large.Size != record.ValueLength) throw Damaged("a value of another length");
            yield return new StoredRecord(record, large);
            if (largeHash is null) continue;
            // As it was when the record was stored: with the hash of a large value in the place of its name.
            if (large is null) LayerFormat.Digest(bytes.Span, digest);
            else LayerFormat.Digest([.. bytes.Span[..^RecordCodec.NameSize], .. largeHash()], digest);
            content.Add(number, digest);
        }

        if (largeHash is not null && content.Complete() != Details.ContentDigest) throw Damaged("keys that are not those of the backup");
    }

    private ContentRef Find(string name) => _files.TryGetValue(name, out var content) ? content : throw Damaged($"no {name}");

    private DamageException Damaged(string what) => new(_snapshot.Id, $"{_snapshot.Id} holds {what}; run 'fbackup backup verify --level full'.");
}
