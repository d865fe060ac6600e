#pragma warning disable CA1822, CA1065 // contracts first; bodies follow
namespace FunctionsBackup.Repository.Catalogs;

/// <summary>Streams the entries of a snapshot into the repository: memory does not grow with their number. Not for concurrent use.</summary>
public sealed class CatalogWriter
{
    /// <exception cref="ArgumentException">The entry does not come after the one before in <see cref="CatalogOrder"/>.</exception>
    public ValueTask AddAsync(CatalogEntry entry, CancellationToken cancellationToken) => throw new NotImplementedException();
}
