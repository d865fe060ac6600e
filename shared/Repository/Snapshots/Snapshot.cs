using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Repository.Snapshots;

/// <summary>A committed recovery point of one component: the record whose creation is the commit (FORMAT.md §7).</summary>
public sealed record Snapshot
{
    /// <summary><c>yyyyMMddTHHmmssZ-component-8 hex digits</c>: sorts by time, unique, legal as an object name.</summary>
    public required string Id { get; init; }

    /// <summary><c>postgres</c>, <c>voice_data</c>, <c>logs</c>, …: the component's name in the configuration.</summary>
    public required string Component { get; init; }

    /// <summary><c>full</c> or <c>incremental</c>: how it was taken. Either restores alone.</summary>
    public required string Kind { get; init; }

    /// <summary>The earlier snapshot this one was taken against, if any; it is not needed to restore.</summary>
    public string? Parent { get; init; }

    /// <summary>The recovery point that joins it with the snapshots of other components; null for one that was taken alone.</summary>
    public string? Point { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset CompletedAt { get; init; }

    public required string Host { get; init; }

    /// <summary>
    /// The write-only writer that made it, 8 hex digits; null: somebody who holds the repository's keys. What the record itself says of this
    /// counts only if its seal does not say it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Writer { get; init; }

    /// <summary>Product version that wrote it.</summary>
    public required string WrittenBy { get; init; }

    /// <summary>The catalog: a content whose bytes are the catalog's leaves, in order.</summary>
    public required ContentRef Catalog { get; init; }

    public required SnapshotStatistics Statistics { get; init; }

    /// <summary>One sentence each; not empty means that the backup ended with exit code 3.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Facts of the component: for PostgreSQL its LSNs, timeline and system identifier; for files the paths.</summary>
    public JsonObject? Details { get; init; }
}

/// <summary>Figures of one backup, bytes and counts.</summary>
public sealed record SnapshotStatistics
{
    public long Entries { get; init; }

    public long Files { get; init; }

    /// <summary>Bytes of all files as a restore would write them, holes included.</summary>
    public long LogicalBytes { get; init; }

    /// <summary>Bytes read from the source.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes of chunks that the repository did not have, before compression.</summary>
    public long NewBytes { get; init; }

    /// <summary>Bytes added to the store, compressed and encrypted: packs and index segments.</summary>
    public long StoredBytes { get; init; }

    public long NewChunks { get; init; }
}
