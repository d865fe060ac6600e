using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
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
        var rows = 0L;
        var layers = new List<RowStream>();
        try
        {
            foreach (var layer in slice.Layers)
            {
                var stream = new RowStream(_repository.OpenContent(File($"{path}.{layer.Name}.records")), _snapshot);
                layers.Add(stream);
                await stream.MoveAsync(cancellationToken).ConfigureAwait(false);
            }

            while (layers.Min(l => l.Number) is { } number)
            {
                var isDecided = false;
                for (var i = layers.Count - 1; i >= 0; i--)
                {
                    var layer = layers[i];
                    if (layer.Number != number) continue;
                    while (layer.Number == number)
                    {
                        if (!isDecided && !layer.IsTombstone)
                        {
                            rows++;
                            yield return layer.Row;
                        }

                        await layer.MoveAsync(cancellationToken).ConfigureAwait(false);
                    }

                    isDecided = true;
                }
            }
        }
        finally
        {
            foreach (var layer in layers) await layer.DisposeAsync().ConfigureAwait(false);
        }

        if (rows != slice.Rows) throw new DamageException(_snapshot, $"{_snapshot} holds {rows} rows of {path} instead of {slice.Rows}; run 'fbackup backup verify --level full'.");
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
