using System.Buffers.Binary;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// Checks that segments follow each other by what their facts say: lengths and CRC of a record that goes over the border, and the chain of
/// xl_prev. So two histories that share a timeline and names are told apart without reading a record.
/// </summary>
public sealed class WalChain
{
    private const int HeaderSize = 24;
    private readonly byte[] _header = new byte[HeaderSize];
    private int _headerLength;
    private Lsn? _tailStart;
    private uint _tailRemaining, _tailCrc;

    /// <summary>Start of the last whole record so far, or null if none is known.</summary>
    public Lsn? LastRecord { get; private set; }

    /// <summary>End of the last whole record so far.</summary>
    public Lsn? End { get; private set; }

    /// <summary>
    /// The last segment's first bytes end a record that may matter to recovery: only reading it and the one before tells.
    /// </summary>
    public bool CrossingMatters { get; private set; }

    private bool _hasBegun;

    /// <summary>Takes the next segment of the walk.</summary>
    /// <returns>Why it does not follow, as the end of a sentence about it; null if it follows.</returns>
    public string? Append(WalSegmentFacts facts, Lsn start)
    {
        ArgumentNullException.ThrowIfNull(facts);
        CrossingMatters = false;
        var problem = _tailRemaining > 0 ? Continue(facts, start) : Begin(facts);
        if (problem is not null) return problem;
        if (facts.FirstPrevious is { } previous && LastRecord is { } last && previous != last)
            return $"its first record says that the one before it is at {previous}, but that is at {last}";
        LastRecord = facts.LastRecord ?? LastRecord;
        End = facts.End ?? End;
        if (facts.Tail is { } tail)
        {
            (_tailStart, _tailRemaining, _tailCrc) = (tail.Start, tail.Remaining, tail.Crc);
            _headerLength = FromHex(tail.Header, _header);
        }

        _hasBegun = true;
        return null;
    }

    private string? Begin(WalSegmentFacts facts)
    {
        if (facts.Head is not { } head) return null;
        if (_hasBegun) return "it continues a record that the segment before it does not leave open";
        (_tailStart, _tailRemaining) = (null, Rest(head));
        return null;
    }

    private string? Continue(WalSegmentFacts facts, Lsn segment)
    {
        if (facts.Head is not { } head)
        {
            _tailRemaining = 0;
            return facts.Overwrites ? null : $"it does not continue the record {Describe()}";
        }

        if (head.Remaining != _tailRemaining)
            return $"it continues a record by {head.Remaining} bytes where {_tailRemaining} are missing of the one {Describe()}";
        if (_tailStart is null || head.Abandoned)
        {
            _tailRemaining = Rest(head);
            return null;
        }

        Span<byte> first = stackalloc byte[HeaderSize];
        var kept = first[..FromHex(head.First, first)];
        var take = Math.Min(HeaderSize - _headerLength, kept.Length);
        kept[..take].CopyTo(_header.AsSpan(_headerLength));
        _headerLength += take;
        _tailCrc = Crc32C.Combine(Crc32C.Update(_tailCrc, kept[take..]), head.Crc, Math.Max(0, head.Length - kept.Length));
        _tailRemaining = Rest(head);
        if (_tailRemaining > 0) return null;

        var crc = Crc32C.Update(_tailCrc, _header.AsSpan(0, 20)) ^ 0xFFFFFFFF;
        if (_headerLength < HeaderSize || crc != BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(20)))
            return $"the CRC of the record {Describe()}, which ends in it, is wrong";
        var previous = new Lsn(BinaryPrimitives.ReadUInt64LittleEndian(_header.AsSpan(8)));
        if (LastRecord is { } last && previous != last)
            return $"the record {Describe()}, which ends in it, says that the one before is at {previous}";
        LastRecord = _tailStart;
        CrossingMatters = WalRecordBody.IsInteresting(_header[17], _header[16]);
        // Where it ends exactly depends on page headers; the start of the segment is a safe lower bound until a record follows.
        End = facts.FirstRecord ?? segment;
        return null;
    }

    private static uint Rest(WalHeadFacts head) => head.Abandoned || head.Length >= head.Remaining ? 0 : head.Remaining - head.Length;

    private string Describe() => _tailStart is { } start ? $"at {start}" : "begun before it";

    private static int FromHex(string hex, Span<byte> destination)
    {
        if (hex.Length % 2 != 0 || hex.Length > destination.Length * 2) return 0;
        return Convert.FromHexString(hex, destination, out _, out var written) == System.Buffers.OperationStatus.Done ? written : 0;
    }
}
