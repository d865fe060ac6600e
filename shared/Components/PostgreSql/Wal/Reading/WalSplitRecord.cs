using System.Buffers.Binary;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>A record that goes on over pages: its header and CRC so far, and its body where that is wanted.</summary>
public sealed class WalSplitRecord
{
    private const int HeaderSize = 24;

    /// <summary>Bodies longer than this are not kept; only transactions with millions of subtransactions have them.</summary>
    private const int MaximumBody = 64 << 20;

    private readonly byte[] _header = new byte[HeaderSize];
    private int _headerLength;
    private byte[] _body = [];
    private int _bodyLength;
    private bool _wantsBody, _keepsBody;

    public bool IsOpen { get; private set; }

    /// <summary>Where it begins; null if that was before the first segment read.</summary>
    public Lsn? Start { get; private set; }

    /// <summary>xl_tot_len; 0 if the beginning was not read.</summary>
    public uint Length { get; private set; }

    /// <summary>Bytes still to come.</summary>
    public uint Remaining { get; private set; }

    /// <summary>Raw CRC state over the body bytes so far.</summary>
    public uint Crc { get; private set; }

    /// <summary>The header, or as much of it as was read.</summary>
    public ReadOnlySpan<byte> Header => _header.AsSpan(0, _headerLength);

    public uint Xid => BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(4));

    public ulong Previous => BinaryPrimitives.ReadUInt64LittleEndian(_header.AsSpan(8));

    public byte Info => _header[16];

    public byte Manager => _header[17];

    internal void Begin(Lsn start, uint length, ReadOnlySpan<byte> piece, bool wantsBody)
    {
        Reset(start, length, length);
        _wantsBody = wantsBody;
        Append(piece);
    }

    /// <summary>Starts to skip the rest of a record whose beginning was not read.</summary>
    internal void BeginForeign(uint remaining) => Reset(null, 0, remaining);

    internal void Abandon() => IsOpen = false;

    internal void Append(ReadOnlySpan<byte> piece)
    {
        Remaining -= (uint)piece.Length;
        if (Start is null) return;
        if (_headerLength < HeaderSize)
        {
            var take = Math.Min(HeaderSize - _headerLength, piece.Length);
            piece[..take].CopyTo(_header.AsSpan(_headerLength));
            _headerLength += take;
            piece = piece[take..];
            if (_headerLength == HeaderSize) _keepsBody = _wantsBody && WalRecordBody.IsInteresting(Manager, Info);
        }

        Crc = Crc32C.Update(Crc, piece);
        if (!_keepsBody || _bodyLength + piece.Length > MaximumBody) return;
        if (_body.Length < _bodyLength + piece.Length) Array.Resize(ref _body, Math.Max(_bodyLength + piece.Length, _body.Length * 2));
        piece.CopyTo(_body.AsSpan(_bodyLength));
        _bodyLength += piece.Length;
    }

    /// <summary>What is wrong with the now whole record, or null.</summary>
    internal string? Check() =>
        (Crc32C.Update(Crc, _header.AsSpan(0, 20)) ^ 0xFFFFFFFF) == BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(20))
            ? null
            : "the record's CRC is wrong";

    /// <summary>The body, if it was kept; valid until the next record.</summary>
    internal ReadOnlySpan<byte> TakeBody()
    {
        IsOpen = false;
        return _body.AsSpan(0, _bodyLength);
    }

    private void Reset(Lsn? start, uint length, uint remaining)
    {
        (IsOpen, Start, Length, Remaining, Crc) = (true, start, length, remaining, Crc32C.Initial);
        (_headerLength, _bodyLength, _wantsBody, _keepsBody) = (0, 0, false, false);
    }
}
