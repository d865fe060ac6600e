using System.Collections.Concurrent;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>The files of a snapshot while it is made. Safe for concurrent use, but for the catalog.</summary>
internal sealed class DumpFiles(BackupSession session)
{
    private readonly ConcurrentDictionary<string, ContentRef> _files = new(StringComparer.Ordinal);
    private int _usesParent;

    /// <summary>Whether anything was taken over from the snapshot before.</summary>
    public bool UsesParent => Volatile.Read(ref _usesParent) != 0;

    public void Add(string path, ContentRef content) => _files[path] = content;

    /// <summary>The same of what the snapshot before has already.</summary>
    public void Take(string path, ContentRef content)
    {
        _files[path] = content;
        Volatile.Write(ref _usesParent, 1);
    }

    public async ValueTask StoreAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        Add(path, await session.StoreAsync(new BytesSource(bytes), ContentOptions.ContentDefined, cancellationToken).ConfigureAwait(false));

    public async ValueTask StoreAsync(string path, Stream stream, CancellationToken cancellationToken) =>
        Add(path, await session.StoreAsync(new StreamSource(stream), ContentOptions.ContentDefined, cancellationToken).ConfigureAwait(false));

    public async ValueTask WriteCatalogAsync(CancellationToken cancellationToken)
    {
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in _files.Keys)
            for (var slash = path.LastIndexOf('/'); slash > 0 && folders.Add(path[..slash]); slash = path.LastIndexOf('/', slash - 1)) ;
        var entries = _files.Select(f => new CatalogEntry { Path = ByteName.Parse(f.Key), Kind = EntryKind.File, Mode = 0b110_000_000, Content = f.Value })
            .Concat(folders.Select(f => new CatalogEntry { Path = ByteName.Parse(f), Kind = EntryKind.Directory, Mode = 0b111_000_000 })).ToList();
        entries.Sort((a, b) => CatalogOrder.Compare(a.Path.Span, b.Path.Span));
        foreach (var entry in entries) await session.Catalog.AddAsync(entry, cancellationToken).ConfigureAwait(false);
    }

    private sealed class StreamSource(Stream stream) : IContentSource
    {
        public async ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
            new(await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));
    }
}
