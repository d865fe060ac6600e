namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>Configuration that is no file. Its documents appear in the catalog below the source's name.</summary>
public interface IConfigurationSource
{
    /// <summary>The top-level name in the catalog: <c>kubernetes</c>.</summary>
    string Name { get; }

    /// <summary>All documents, in any order, each path once.</summary>
    /// <exception cref="ConfigurationSourceException">The source cannot be read completely; then nothing of it counts.</exception>
    IAsyncEnumerable<ConfigurationDocument> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>One document of a source.</summary>
/// <param name="Path">Below the source's name, parts joined by <c>/</c>, each from <see cref="DocumentName"/>.</param>
/// <param name="Content">Its bytes.</param>
public sealed record ConfigurationDocument(string Path, ReadOnlyMemory<byte> Content);
