using System.Collections.Concurrent;
using System.Text;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Gathers entries as they are finished, from many workers, and writes them in the catalog's order. A cluster has few files.</summary>
internal sealed class CatalogAssembly
{
    private readonly ConcurrentBag<CatalogEntry> _entries = [];

    public void Add(CatalogEntry entry) => _entries.Add(entry);

    public static ReadOnlyMemory<byte> Path(string path) => Encoding.UTF8.GetBytes(path);

    public async ValueTask WriteAsync(CatalogWriter writer, CancellationToken cancellationToken)
    {
        var sorted = _entries.ToArray();
        Array.Sort(sorted, static (left, right) => CatalogOrder.Compare(left.Path.Span, right.Path.Span));
        foreach (var entry in sorted) await writer.AddAsync(entry, cancellationToken);
    }
}
