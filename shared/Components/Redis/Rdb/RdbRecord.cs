namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>
/// A key with its value, as the server writes it: what a dump of the key holds between its type and its version. Memory that it refers to is good
/// until the next one is read.
/// </summary>
public struct RdbRecord
{
    /// <summary>Number of the database.</summary>
    public int Database { get; set; }

    public ReadOnlyMemory<byte> Key { get; set; }

    /// <summary>Of <see cref="RdbTypes"/>.</summary>
    public byte Type { get; set; }

    /// <summary>Milliseconds since 1970-01-01 UTC; negative: it does not expire.</summary>
    public long ExpiresAt { get; set; }

    /// <summary>The serialized value, without its type; empty if it went to a sink.</summary>
    public ReadOnlyMemory<byte> Value { get; set; }

    /// <summary>Bytes of the value, wherever they went.</summary>
    public long ValueLength { get; set; }

    /// <summary>Whether the value is not in <see cref="Value"/>.</summary>
    public bool IsLarge { get; set; }
}
