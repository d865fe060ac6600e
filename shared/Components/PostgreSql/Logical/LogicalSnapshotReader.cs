using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using FunctionsBackup.Components.Layers;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>What a logical snapshot holds.</summary>
public sealed class LogicalSnapshotReader
{
    private readonly BackupRepository _repository;
    private readonly Dictionary<string, ContentRef> _files;
    private readonly Dictionary<string, LogicalDatabase> _databases;
    private readonly string _snapshot;

    private LogicalSnapshotReader(
        BackupRepository repository, string snapshot, LogicalBackupDetails details, Dictionary<string, ContentRef> files, Dictionary<string, LogicalDatabase> databases) =>
        (_repository, _snapshot, Details, _files, _databases) = (repository, snapshot, details, files, databases);

    public LogicalBackupDetails Details { get; }

    public IReadOnlyCollection<LogicalDatabase> Databases => _databases.Values;

    /// <exception cref="RepositoryException">It is none that this version can read.</exception>
    public static async ValueTask<LogicalSnapshotReader> OpenAsync(BackupRepository repository, Snapshot snapshot, CancellationToken cancellationToken) =>
        await TryOpenAsync(repository, snapshot, cancellationToken).ConfigureAwait(false)
        ?? throw new RepositoryException($"{snapshot.Id} is no logical backup that this version can read; was it taken by a newer one?");

    internal static async ValueTask<LogicalSnapshotReader?> TryOpenAsync(BackupRepository repository, Snapshot? snapshot, CancellationToken cancellationToken)
    {
        if (snapshot is null || LogicalBackupDetails.FromJson(snapshot.Details) is not { } details) return null;
        var files = new Dictionary<string, ContentRef>(StringComparer.Ordinal);
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
            if (entry.Content is { } content) files.Add(Encoding.UTF8.GetString(entry.Path.Span), content);
        var reader = new LogicalSnapshotReader(repository, snapshot.Id, details, files, new(StringComparer.Ordinal));
        foreach (var database in details.Databases)
            reader._databases.Add(database.Name, await reader.ReadManifestAsync(database.Path, cancellationToken).ConfigureAwait(false));
        return reader;
    }

    public LogicalDatabase? Find(string database) => _databases.GetValueOrDefault(database);

    internal string PathOf(string database) => Details.Databases.First(d => d.Name == database).Path;

    internal (ContentRef Records, ContentRef Fingerprints) Layer(string slice, string layer) => (File($"{slice}.{layer}.records"), File($"{slice}.{layer}.fingerprints"));

    internal Stream Open(string path) => _repository.OpenContent(File(path));

    internal long SizeOf(string path) => File(path).Size;

    /// <summary>The rows of a slice, as COPY has them without ctid; good until the next one.</summary>
    /// <param name="path">Of the slice.</param>
    /// <param name="slice">Which.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DamageException">They are not those that were written.</exception>
    internal async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadRowsAsync(
        string path, LogicalSlice slice, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var content = new ContentDigest();
        var digest = new byte[LayerFormat.DigestSize];
        var layers = slice.Layers.ConvertAll(l => new LayerStream(
            _repository.OpenContent(File($"{path}.{l.Name}.records")), _snapshot, static bytes => RowRecord.Read(bytes, out _)));
        await foreach (var (number, record) in LayerStream.MergeAsync(layers, cancellationToken).ConfigureAwait(false))
        {
            LayerFormat.Digest(record.Span, digest);
            content.Add(number, digest);
            RowRecord.Read(record, out var row);
            yield return row;
        }

        if (content.Complete() != slice.Digest) throw new DamageException(_snapshot, $"{_snapshot} holds other rows of {path} than those of the backup; run 'fbackup backup verify --level full'.");
    }

    private async ValueTask<LogicalDatabase> ReadManifestAsync(string path, CancellationToken cancellationToken)
    {
        var name = $"{path}/manifest.json";
        var bytes = new byte[File(name).Size];
        var stream = Open(name);
        await using (stream.ConfigureAwait(false)) await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        try
        {
            return LogicalDatabase.FromBytes(bytes);
        }
        catch (JsonException e)
        {
            throw new DamageException(_snapshot, $"{_snapshot} has a {name} that cannot be read: {e.Message}", e);
        }
    }

    private ContentRef File(string name) => _files.TryGetValue(name, out var content) ? content
        : throw new DamageException(_snapshot, $"{_snapshot} lacks {name}; run 'fbackup backup verify --level full'.");
}
