using System.Text.Json;
using System.Text.Json.Serialization;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// What is known of an archived segment without reading its records: the header of its sealed object, as JSON. Facts of neighbours chain
/// (<see cref="WalChain"/>), so that a gap is found by content from headers alone.
/// </summary>
public sealed record WalSegmentFacts
{
    /// <summary>More restore points than this are not listed; <see cref="MoreRestorePoints"/> then says to read the body.</summary>
    public const int MaximumRestorePoints = 100;

    /// <summary>Version of this record.</summary>
    public int Format { get; init; } = 1;

    /// <summary>Bytes of the segment.</summary>
    public int Size { get; init; }

    /// <summary>Of the segment's bytes: 64 lower-case hex digits.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>PostgreSQL major version.</summary>
    public int Version { get; init; }

    /// <summary>Timeline of the last page.</summary>
    public uint LastTimeline { get; init; }

    /// <summary>The first record that begins here, and the start of the record before that.</summary>
    public Lsn? FirstRecord { get; init; }

    public Lsn? FirstPrevious { get; init; }

    /// <summary>Start of the last record that begins and ends here.</summary>
    public Lsn? LastRecord { get; init; }

    /// <summary>End of the last whole record here; null if none ends here whose beginning is here too.</summary>
    public Lsn? End { get; init; }

    /// <summary>The server switched to the next segment before this was full.</summary>
    public bool Switched { get; init; }

    /// <summary>The first page overwrites the rest of a record left open by the segment before.</summary>
    public bool Overwrites { get; init; }

    /// <summary>The end of a record that began before this segment.</summary>
    public WalHeadFacts? Head { get; init; }

    /// <summary>The beginning of a record that goes on in the next segment.</summary>
    public WalTailFacts? Tail { get; init; }

    /// <summary>Whole records that begin here.</summary>
    public long Records { get; init; }

    public DateTimeOffset? FirstCommit { get; init; }

    /// <summary>Time of the last commit here, by position.</summary>
    public DateTimeOffset? LastCommit { get; init; }

    /// <summary>Latest time of a commit or abort here: what a time target is compared with.</summary>
    public DateTimeOffset? LatestTransaction { get; init; }

    /// <summary>Latest time that any record here states; the server's clock had come so far.</summary>
    public DateTimeOffset? LatestTime { get; init; }

    /// <summary>Smallest and largest xid that ended here, as plain numbers.</summary>
    public uint? MinimumXid { get; init; }

    public uint? MaximumXid { get; init; }

    public IReadOnlyList<WalRestorePointFacts> RestorePoints { get; init; } = [];

    public bool MoreRestorePoints { get; init; }

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Converters = { new LsnJsonConverter() },
    };

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Options);

    /// <exception cref="JsonException">These are not facts of a segment.</exception>
    public static WalSegmentFacts FromJson(ReadOnlySpan<byte> json)
    {
        var facts = JsonSerializer.Deserialize<WalSegmentFacts>(json, Options) ?? throw new JsonException("A segment's facts are empty.");
        if (facts.Format != 1) throw new JsonException($"A segment's facts are of format {facts.Format}; this program knows format 1.");
        return facts;
    }
}

/// <param name="Remaining">Bytes of the record still to come at the start of the segment.</param>
/// <param name="Length">How many of them are in this segment.</param>
/// <param name="First">The first up to 24 of them, hex.</param>
/// <param name="Crc">Raw CRC-32C from 0 over the others.</param>
/// <param name="Abandoned">The record was given up and overwritten within this segment.</param>
public sealed record WalHeadFacts(uint Remaining, uint Length, string First, uint Crc, bool Abandoned);

/// <param name="Start">Where the record begins.</param>
/// <param name="Remaining">Its bytes that are in the next segment.</param>
/// <param name="Header">Its header, or as much as is in this segment, hex.</param>
/// <param name="Crc">Raw CRC-32C state over its body so far.</param>
public sealed record WalTailFacts(Lsn Start, uint Remaining, string Header, uint Crc);

/// <summary>A named restore point; <see cref="End"/>, the end of its record, is where recovery stops.</summary>
public sealed record WalRestorePointFacts(string Name, Lsn End, DateTimeOffset Time);
