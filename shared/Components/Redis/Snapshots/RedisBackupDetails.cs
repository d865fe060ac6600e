using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>The <c>details</c> of a snapshot of Redis. Holds no secrets.</summary>
public sealed record RedisBackupDetails
{
    /// <summary>Of FORMAT.md.</summary>
    public int Format { get; set; } = 1;

    /// <summary><c>psync</c>: a point in time. <c>scan</c>: key by key, while the server went on.</summary>
    public required string Mode { get; set; }

    /// <summary>Why it is no point in time; null: it is one.</summary>
    public string? NoPointInTime { get; set; }

    /// <summary>As the server says.</summary>
    public string? ServerVersion { get; set; }

    /// <summary>Of the RDB that the values are serialized for: a server that writes an older one cannot restore all of them.</summary>
    public int RdbVersion { get; set; }

    /// <summary>Valkey from 9 on writes an RDB of its own.</summary>
    public bool IsValkey { get; set; }

    /// <summary>Replication id; null: not known.</summary>
    public string? ReplicationId { get; set; }

    /// <summary>Bytes of the replication stream that the snapshot holds the effect of.</summary>
    public long ReplicationOffset { get; set; }

    /// <summary>The moment that it shows; of a scan, its beginning.</summary>
    public DateTimeOffset Time { get; set; }

    /// <summary>When the last key was read.</summary>
    public DateTimeOffset ReadUntil { get; set; }

    /// <summary>Database to its number of keys.</summary>
    public IReadOnlyDictionary<string, long> Keys { get; set; } = new Dictionary<string, long>();

    /// <summary>Keys that expire.</summary>
    public long Expiring { get; set; }

    /// <summary>Libraries of functions.</summary>
    public int Functions { get; set; }

    /// <summary>Bytes of the serialized values.</summary>
    public long ValueBytes { get; set; }

    /// <summary>The oldest first; the first one is full.</summary>
    public IReadOnlyList<RedisLayer> Layers { get; set; } = [];

    /// <summary>Where chunks of records end.</summary>
    public ulong CutMask { get; set; }

    /// <summary>SHA-256 over hashes and digests of all keys, in order: what is restored must have the same.</summary>
    public required string ContentDigest { get; set; }

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, Options)!.AsObject();

    /// <summary>Null if the details are not those of a snapshot of Redis, or of a newer format.</summary>
    public static RedisBackupDetails? FromJson(JsonObject? details)
    {
        try
        {
            return details?.Deserialize<RedisBackupDetails>(Options) is { Format: 1 } its ? its : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>One layer of a snapshot.</summary>
/// <param name="Name">Its files in the catalog begin so: <c>0001-20261122T0200Z…</c>.</param>
/// <param name="Records">Keys that it has.</param>
/// <param name="Tombstones">Hashes that it removes.</param>
/// <param name="Bytes">Of its records.</param>
public sealed record RedisLayer(string Name, long Records, long Tombstones, long Bytes);
