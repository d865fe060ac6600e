using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FunctionsBackup.Components.PostgreSql.Backup;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>Rows as COPY gives them, each with the block in which it lies: the first column is its ctid.</summary>
internal interface ICopyRows : IAsyncDisposable
{
    uint Block { get; }

    /// <summary>All columns but the first, as COPY has them; good until the next one.</summary>
    ReadOnlyMemory<byte> Row { get; }

    /// <summary>False: there is no more.</summary>
    ValueTask<bool> MoveAsync(CancellationToken cancellationToken);
}

/// <summary>Binary format (PostgreSQL manual, COPY): a header, then for each row the number of fields, and for each its length and bytes.</summary>
internal sealed class BinaryCopyRows(Stream stream) : ICopyRows
{
    private const int MaximumRow = 1 << 30;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
    private int _begin, _end;
    private bool _hasHeader;

    public uint Block { get; private set; }

    public ReadOnlyMemory<byte> Row { get; private set; }

    public async ValueTask<bool> MoveAsync(CancellationToken cancellationToken)
    {
        if (!_hasHeader)
        {
            while (_end - _begin < 19) await FillAsync(cancellationToken).ConfigureAwait(false);
            var extension = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_begin + 15));
            if (!_buffer.AsSpan(_begin, 7).SequenceEqual("PGCOPY\n"u8) || extension != 0) throw Nonsense();
            _begin += 19;
            _hasHeader = true;
        }

        while (true)
        {
            var length = Measure(_buffer.AsSpan(_begin, _end - _begin), out var isEnd);
            if (isEnd) return false;
            if (length > 0)
            {
                // int16 fields, int32 6, then ctid: block and line.
                Block = BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_begin + 6));
                Row = _buffer.AsMemory(_begin + 12, length - 12);
                _begin += length;
                return true;
            }

            await FillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync()
    {
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        return stream.DisposeAsync();
    }

    /// <summary>Bytes of the row that begins here; 0: not all of it is there yet.</summary>
    private static int Measure(ReadOnlySpan<byte> ahead, out bool isEnd)
    {
        isEnd = false;
        if (ahead.Length < 2) return 0;
        var fields = BinaryPrimitives.ReadInt16BigEndian(ahead);
        if (fields == -1)
        {
            isEnd = true;
            return 0;
        }

        if (fields < 1) throw Nonsense();
        var at = 2L;
        for (var i = 0; i < fields; i++)
        {
            if (at + 4 > ahead.Length) return 0;
            var length = BinaryPrimitives.ReadInt32BigEndian(ahead[(int)at..]);
            if (length < -1 || (i == 0 && length != 6)) throw Nonsense();
            at += 4 + Math.Max(0, length);
            if (at > MaximumRow) throw new PostgresBackupException("A row is longer than 1 GiB; leave its table out, or back the database up physically.");
            if (at > ahead.Length) return 0;
        }

        return (int)at;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
        }

        if (_end == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(checked(_buffer.Length * 2));
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = larger;
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        if (read == 0) throw Nonsense();
        _end += read;
    }

    private static PostgresBackupException Nonsense() => new("The server sent rows that are not in the binary format of COPY.") { IsTransient = true };
}

/// <summary>Text format: a line for each row, columns with tabs between.</summary>
internal sealed class TextCopyRows(TextReader reader) : ICopyRows
{
    public uint Block { get; private set; }

    public ReadOnlyMemory<byte> Row { get; private set; }

    public async ValueTask<bool> MoveAsync(CancellationToken cancellationToken)
    {
        if (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is not { } line) return false;
        var (comma, tab) = (line.IndexOf(','), line.IndexOf('\t'));
        // (block,line)
        if (comma < 1 || !uint.TryParse(line.AsSpan(1, comma - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var block))
            throw new PostgresBackupException("The server sent rows that are not in the text format of COPY.") { IsTransient = true };
        Block = block;
        Row = tab < 0 ? default : Encoding.UTF8.GetBytes(line[(tab + 1)..]);
        return true;
    }

    public ValueTask DisposeAsync()
    {
        reader.Dispose();
        return default;
    }
}
