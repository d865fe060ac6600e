#pragma warning disable CA1822, CA1065 // contracts first; bodies follow
using System.Text.Json.Nodes;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository;

/// <summary>What a session is for.</summary>
/// <param name="Component">The component's name in the configuration.</param>
/// <param name="Parallelism">Workers that compress and encrypt, and uploads in flight.</param>
public sealed record SessionOptions(string Component, int Parallelism);

/// <summary>
/// Adds one recovery point. Contents may be stored concurrently; chunks that the repository already has are only counted. Packs are
/// written on the way, then index segments, and at last the snapshot record, whose creation is the commit. Disposing without a commit
/// leaves unreferenced objects at most.
/// </summary>
public sealed class BackupSession : IAsyncDisposable
{
    /// <summary>Stores all that <paramref name="source"/> gives. The bytes are durable only after the commit.</summary>
    public ValueTask<ContentRef> StoreAsync(IContentSource source, ContentOptions options, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>For callers that cut chunks themselves, or take over chunks of an earlier recovery point.</summary>
    public ContentBuilder BuildContent() => throw new NotImplementedException();

    /// <summary>Writes the catalog. One per session; entries must come in <see cref="CatalogOrder"/>.</summary>
    public CatalogWriter Catalog => throw new NotImplementedException();

    public long ReadBytes => throw new NotImplementedException();

    public long NewBytes => throw new NotImplementedException();

    /// <summary>Makes the recovery point visible: all or nothing.</summary>
    public ValueTask<Snapshot> CommitAsync(SnapshotDraft draft, CancellationToken cancellationToken) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>What the component adds to the record.</summary>
public sealed record SnapshotDraft(string Kind, string? Parent, DateTimeOffset StartedAt, IReadOnlyList<string> Warnings, JsonObject? Details);

/// <summary>Puts a content together run by run. Not for concurrent use; many builders may work at once.</summary>
public sealed class ContentBuilder
{
    /// <summary>Adds a chunk of new or known bytes, at most <see cref="ContentLimits.MaximumChunkSize"/>; copied before the call returns.</summary>
    public ValueTask AddChunkAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Takes over a run of an earlier content: nothing is read or stored.</summary>
    public ValueTask AddItemAsync(ContentItem item, CancellationToken cancellationToken) => throw new NotImplementedException();

    public ValueTask<ContentRef> CompleteAsync(CancellationToken cancellationToken) => throw new NotImplementedException();
}
