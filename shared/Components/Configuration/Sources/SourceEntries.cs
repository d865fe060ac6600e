using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>Stores the documents of a source and makes their entries of the catalog, with the directories above them.</summary>
internal static class SourceEntries
{
    /// <summary>Of one source; configuration that is larger is something else.</summary>
    internal const int MaximumDocuments = 100_000;

    /// <summary>Of one document: a Kubernetes object has at most 1.5 MB.</summary>
    internal const int MaximumBytes = 16 << 20;

    /// <returns>In catalog order, the source's own directory first.</returns>
    internal static async ValueTask<List<CatalogEntry>> StoreAsync(
        IConfigurationSource source, BackupSession session, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var modified = (at - DateTimeOffset.UnixEpoch).Ticks * 100;
        var entries = new Dictionary<string, CatalogEntry> { [source.Name] = Directory(source.Name, modified) };
        await foreach (var document in source.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var path = source.Name + "/" + document.Path;
            if (entries.Count >= MaximumDocuments || document.Content.Length > MaximumBytes)
                throw new ConfigurationSourceException($"{source.Name} holds more than {MaximumDocuments} documents, or one of more than 16 MiB; choose fewer of them.");
            for (var slash = path.IndexOf('/', source.Name.Length + 1); slash >= 0; slash = path.IndexOf('/', slash + 1))
                entries.TryAdd(path[..slash], Directory(path[..slash], modified));
            var content = await session.StoreAsync(new MemorySource(document.Content), ContentOptions.ContentDefined, cancellationToken).ConfigureAwait(false);
            if (!entries.TryAdd(path, new CatalogEntry
            {
                Path = Encoding.UTF8.GetBytes(path), Kind = EntryKind.File, Mode = 0b110_000_000, ModifiedNanoseconds = modified, Content = content,
            }))
                throw new ConfigurationSourceException($"{source.Name} gave {path} twice, so it was not stored; run the backup again.");
        }

        var sorted = entries.Values.ToList();
        sorted.Sort((left, right) => CatalogOrder.Compare(left.Path.Span, right.Path.Span));
        return sorted;
    }

    private static CatalogEntry Directory(string path, long modified) =>
        new() { Path = Encoding.UTF8.GetBytes(path), Kind = EntryKind.Directory, Mode = 0b111_000_000, ModifiedNanoseconds = modified };

    private sealed class MemorySource(ReadOnlyMemory<byte> content) : IContentSource
    {
        private int _position;

        public ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var length = Math.Min(buffer.Length, content.Length - _position);
            content.Slice(_position, length).CopyTo(buffer);
            _position += length;
            return new(new ContentRun(length));
        }
    }
}
