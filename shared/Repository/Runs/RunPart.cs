using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Runs;

/// <summary>What a unit stored: <c>parts/RUN/UNIT</c>. Written when all its chunks are durable and findable; then the unit is done.</summary>
public sealed record RunPart
{
    public required string RunId { get; init; }

    public required string Unit { get; init; }

    public required string Component { get; init; }

    /// <summary><c>full</c> or <c>incremental</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The snapshot that contents were taken over from, if any.</summary>
    public string? Parent { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset CompletedAt { get; init; }

    public required string Host { get; init; }

    /// <summary>Its piece of the catalog: leaves that stand alone, so that pieces in order are the whole.</summary>
    public required ContentRef Catalog { get; init; }

    public required SnapshotStatistics Statistics { get; init; }

    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Files that have names outside this piece.</summary>
    public IReadOnlyList<PartLink> Links { get; init; } = [];

    /// <summary>Facts of the component.</summary>
    public JsonObject? Details { get; init; }
}

/// <summary>A hard-linked file of which a unit did not see all names.</summary>
/// <param name="Device">With the inode: which file.</param>
/// <param name="Inode">With the device: which file.</param>
/// <param name="Path">Its first name in the piece.</param>
/// <param name="Content">What it held: <see cref="Fingerprint"/>. An inode may have become another file's meanwhile.</param>
public sealed record PartLink(ulong Device, ulong Inode, byte[] Path, string Content)
{
    /// <summary>The same for the same bytes cut the same way.</summary>
    public static string Fingerprint(ContentRef content)
    {
        var bytes = new byte[12 + content.Items.Length * ItemList.ItemSize];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, content.Size);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), content.Depth);
        for (var i = 0; i < content.Items.Length; i++) ItemList.Write(bytes.AsSpan(12 + i * ItemList.ItemSize), content.Items[i]);
        return Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16));
    }
}

/// <summary>A unit that is being worked on in this process: given to <see cref="SessionOptions"/>, it makes the session's end a part.</summary>
public sealed class RunUnit
{
    internal RunUnit(BackupRepository repository, RunPlan run, string name)
    {
        Repository = repository;
        Run = run;
        Name = name;
    }

    public RunPlan Run { get; }

    public string Name { get; }

    /// <summary>The one that knows the run's marks.</summary>
    internal BackupRepository Repository { get; }
}
