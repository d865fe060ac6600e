namespace FunctionsBackup.Components.PostgreSql.Wal.Receiving;

/// <summary>The segment that is being received.</summary>
internal sealed class SegmentBuffer(int segmentSize)
{
    private readonly byte[] _bytes = new byte[segmentSize];

    public int SegmentSize => segmentSize;

    public WalSegmentName Name { get; private set; }

    /// <summary>Bytes received of it.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of them that are archived.</summary>
    public int Archived { get; private set; }

    public Lsn Position => Name.Start(segmentSize) + (ulong)Length;

    public Lsn ArchivedPosition => Name.Start(segmentSize) + (ulong)Archived;

    public bool IsFull => Length == segmentSize;

    public bool HasNews => Length > Archived;

    public ReadOnlyMemory<byte> News => _bytes.AsMemory(Archived, Length - Archived);

    public ReadOnlyMemory<byte> Whole => _bytes.AsMemory(0, Length);

    /// <summary>Begins a segment, with what is archived of it already.</summary>
    public void Begin(WalSegmentName name, ReadOnlySpan<byte> known)
    {
        known.CopyTo(_bytes);
        (Name, Length, Archived) = (name, known.Length, known.Length);
    }

    /// <summary>Reads from a message as much as fits.</summary>
    public async ValueTask FillAsync(Stream source, int count, CancellationToken cancellationToken)
    {
        await source.ReadExactlyAsync(_bytes.AsMemory(Length, count), cancellationToken);
        Length += count;
    }

    public void MarkArchived() => Archived = Length;
}
