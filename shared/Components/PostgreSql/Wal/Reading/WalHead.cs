namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// The bytes at the start of a segment that belong to a record begun before it: enough to check that record later without reading them.
/// </summary>
public sealed record WalHead(uint Remaining)
{
    private const int KeptBytes = 24;
    private readonly List<byte> _first = new(KeptBytes);

    /// <summary>Up to 24 bytes: the record's header may go on in them.</summary>
    public IReadOnlyList<byte> First => _first;

    /// <summary>Bytes of the record in this segment.</summary>
    public uint Length { get; private set; }

    /// <summary>Raw CRC from 0 over the bytes behind <see cref="First"/>.</summary>
    public uint Crc { get; private set; }

    /// <summary>The record was given up: a page after it says that other records overwrite its end.</summary>
    public bool IsAbandoned { get; init; }

    /// <summary>Whether the record goes on in the next segment.</summary>
    public bool IsOpen => Length < Remaining && !IsAbandoned;

    internal void Append(ReadOnlySpan<byte> piece)
    {
        Length += (uint)piece.Length;
        var take = Math.Min(KeptBytes - _first.Count, piece.Length);
        foreach (var b in piece[..take]) _first.Add(b);
        Crc = Crc32C.Update(Crc, piece[take..]);
    }
}
