using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>Writes an RDB that a server starts from (rdb.c: <c>rdbSaveRio</c>). Not for concurrent use.</summary>
public sealed class RdbWriter(Stream output) : IDisposable
{
    private const int BufferSize = 1 << 20;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _filled;
    private ulong _crc;
    private int _database = -1;

    /// <param name="version">As the values were written with.</param>
    /// <param name="isValkey">Valkey 9 and later have a name of their own.</param>
    public void Begin(int version, bool isValkey) => Put(Encoding.ASCII.GetBytes(
        isValkey ? string.Create(CultureInfo.InvariantCulture, $"VALKEY{version:000}") : string.Create(CultureInfo.InvariantCulture, $"REDIS{version:0000}")));

    public async ValueTask FunctionAsync(ReadOnlyMemory<byte> library, CancellationToken cancellationToken)
    {
        if (BufferSize - _filled < 16) await FlushAsync(cancellationToken).ConfigureAwait(false);
        Put([RdbTypes.Function2]);
        PutLength((ulong)library.Length);
        await WriteAsync(library, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A key, up to its value; then the value follows by <see cref="WriteAsync"/>.</summary>
    public async ValueTask KeyAsync(RdbRecord record, CancellationToken cancellationToken)
    {
        if (BufferSize - _filled < 64) await FlushAsync(cancellationToken).ConfigureAwait(false);
        if (record.Database != _database)
        {
            Put([RdbTypes.SelectDb]);
            PutLength((ulong)record.Database);
            _database = record.Database;
        }

        if (record.ExpiresAt >= 0)
        {
            Put([RdbTypes.ExpireTimeMs]);
            BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(_filled), record.ExpiresAt);
            _filled += 8;
        }

        Put([record.Type]);
        PutLength((ulong)record.Key.Length);
        await WriteAsync(record.Key, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            if (_filled == BufferSize) await FlushAsync(cancellationToken).ConfigureAwait(false);
            var length = Math.Min(bytes.Length, BufferSize - _filled);
            Put(bytes.Span[..length]);
            bytes = bytes[length..];
        }
    }

    /// <summary>The end, with the checksum.</summary>
    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (BufferSize - _filled < 16) await FlushAsync(cancellationToken).ConfigureAwait(false);
        Put([RdbTypes.End]);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        var end = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(end, _crc);
        await output.WriteAsync(end, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);

    /// <summary>What follows a value in a dump of a key: version and checksum (<c>createDumpPayload</c>).</summary>
    /// <param name="crc">Of the type and the value.</param>
    /// <param name="version">Of the RDB.</param>
    public static byte[] DumpFooter(ulong crc, int version)
    {
        var footer = new byte[10];
        BinaryPrimitives.WriteUInt16LittleEndian(footer, (ushort)version);
        BinaryPrimitives.WriteUInt64LittleEndian(footer.AsSpan(2), RdbCrc64.Append(crc, footer.AsSpan(0, 2)));
        return footer;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_filled));
        _filled += bytes.Length;
    }

    private void PutLength(ulong length)
    {
        if (length < 64)
        {
            Put([(byte)length]);
        }
        else if (length < 1 << 14)
        {
            Put([(byte)(0x40 | (length >> 8)), (byte)length]);
        }
        else if (length <= uint.MaxValue)
        {
            Put([0x80]);
            BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(_filled), (uint)length);
            _filled += 4;
        }
        else
        {
            Put([0x81]);
            BinaryPrimitives.WriteUInt64BigEndian(_buffer.AsSpan(_filled), length);
            _filled += 8;
        }
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var bytes = _buffer.AsMemory(0, _filled);
        _crc = RdbCrc64.Append(_crc, bytes.Span);
        _filled = 0;
        await output.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
    }
}
