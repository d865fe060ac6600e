using System.Buffers.Text;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>What an entry of a tar is.</summary>
public enum TarEntryKind
{
    File,
    Directory,
    SymbolicLink,
}

/// <summary>The header of an entry, checked.</summary>
/// <param name="Path">Relative, without <c>.</c> or <c>..</c>, without a trailing slash.</param>
/// <param name="Kind">File, directory or symbolic link; nothing else is accepted.</param>
/// <param name="Size">Bytes of a file; 0 for the others.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="UserId">Owner.</param>
/// <param name="GroupId">Group.</param>
/// <param name="ModifiedSeconds">Seconds since 1970-01-01 UTC.</param>
/// <param name="LinkTarget">Where a symbolic link points, as it is.</param>
public sealed record TarEntry(
    string Path, TarEntryKind Kind, long Size, uint Mode, uint UserId, uint GroupId, long ModifiedSeconds, string LinkTarget);

/// <summary>The bytes are not a tar that can be trusted.</summary>
public sealed class TarFormatException(string message) : Exception(message);

/// <summary>
/// Reads a tar (POSIX.1-2001: ustar headers, pax records for what they cannot hold) from pieces as they come. Header checksums, paths and
/// sizes are checked; nothing here grows with what a header claims.
/// </summary>
/// <param name="source">Gives the next piece, valid until its next call; empty at the end.</param>
public sealed class TarReader(Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> source)
{
    private const int BlockSize = 512;
    private const int MaximumPax = 64 << 10;
    private const int MaximumPath = 4096;

    // ustar: offsets and lengths of the header's fields.
    private static readonly Range Name = ..100, Mode = 100..108, UserId = 108..116, GroupId = 116..124, Size = 124..136, Modified = 136..148,
        Checksum = 148..156, LinkName = 157..257, Prefix = 345..500;

    private readonly byte[] _header = new byte[BlockSize];
    private ReadOnlyMemory<byte> _piece;
    private long _remaining;
    private int _padding;
    private bool _ended;

    /// <summary>The next entry, skipping what was not read of this one; null at the end of the archive.</summary>
    /// <exception cref="TarFormatException">The archive is broken, ends early, or holds what must not be in it.</exception>
    public async ValueTask<TarEntry?> NextAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, string>? pax = null;
        while (!_ended)
        {
            while (_remaining > 0) await ReadAsync(cancellationToken);
            await SkipAsync(_padding, cancellationToken);
            _padding = 0;
            await FillAsync(_header, cancellationToken);
            if (!_header.AsSpan().ContainsAnyExcept((byte)0))
            {
                // Two zero blocks end the archive; what follows is filling.
                _ended = true;
                while (await MoreAsync(cancellationToken)) _piece = default;
                return null;
            }

            CheckHeader(_header);
            var size = Number(_header.AsSpan(Size));
            switch (_header[156])
            {
                case (byte)'x':
                    pax = await ReadPaxAsync(size, cancellationToken);
                    continue;
                case (byte)'g':
                    await ReadPaxAsync(size, cancellationToken);
                    continue;
            }

            return Entry(_header, size, pax);
        }

        return null;
    }

    /// <summary>The next bytes of the current file, valid until the next call; empty at its end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        if (_remaining == 0) return ReadOnlyMemory<byte>.Empty;
        if (!await MoreAsync(cancellationToken)) throw Truncated();
        var bytes = _piece[..(int)Math.Min(_remaining, _piece.Length)];
        _piece = _piece[bytes.Length..];
        _remaining -= bytes.Length;
        return bytes;
    }

    private TarEntry Entry(ReadOnlySpan<byte> header, long size, Dictionary<string, string>? pax)
    {
        var kind = header[156] switch
        {
            (byte)'0' or 0 => TarEntryKind.File,
            (byte)'5' => TarEntryKind.Directory,
            (byte)'2' => TarEntryKind.SymbolicLink,
            var type => throw new TarFormatException($"The archive holds an entry of type {type}, which a base backup never has."),
        };
        var path = Text(header[Name]);
        var prefix = Text(header[Prefix]);
        if (prefix.Length > 0) path = $"{prefix}/{path}";
        var link = Text(header[LinkName]);
        if (pax is not null)
        {
            path = pax.GetValueOrDefault("path", path);
            link = pax.GetValueOrDefault("linkpath", link);
            if (pax.TryGetValue("size", out var text) && (!long.TryParse(text, out size) || size < 0))
                throw new TarFormatException("The archive gives a file an impossible size.");
        }

        _remaining = kind == TarEntryKind.File ? size : 0;
        if (_remaining > long.MaxValue - BlockSize) throw new TarFormatException("The archive gives a file an impossible size.");
        _padding = (int)(-_remaining & (BlockSize - 1));
        return new TarEntry(
            CheckPath(path), kind, _remaining, (uint)(Number(header[Mode]) & 0xFFF), (uint)Number(header[UserId]), (uint)Number(header[GroupId]),
            Number(header[Modified]), link);
    }

    /// <summary>Takes "./" and a directory's last slash away, and refuses what could lead out of the target.</summary>
    private static string CheckPath(string path)
    {
        var parts = path.Split('/').Where((part, i) => !(part == "." && i == 0)).ToList();
        if (parts.Count > 1 && parts[^1].Length == 0) parts.RemoveAt(parts.Count - 1);
        if (path.Length > MaximumPath || parts.Count == 0 || parts.Any(part => part is "" or "." or ".." || part.Contains('\0')))
            throw new TarFormatException("The archive holds an entry whose path leads out of it.");
        return string.Join('/', parts);
    }

    private static void CheckHeader(ReadOnlySpan<byte> header)
    {
        var sum = (long)' ' * 8;
        for (var i = 0; i < BlockSize; i++)
            if (i is < 148 or >= 156) sum += header[i];
        if (Number(header[Checksum]) != sum) throw new TarFormatException("The archive is damaged: the checksum of a header is wrong.");
    }

    /// <summary>Octal digits, or big-endian binary when the first bit is set (which PostgreSQL uses from 8 GiB on).</summary>
    private static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) == 0)
        {
            var digits = field.Trim(" \0"u8);
            var value = 0L;
            foreach (var digit in digits)
            {
                if (digit is < (byte)'0' or > (byte)'7') throw new TarFormatException("The archive is damaged: a header has a field that is no number.");
                value = (value << 3) | (long)(digit - '0');
            }

            return value;
        }

        var number = (long)(field[0] & 0x7F);
        foreach (var part in field[1..])
        {
            if (number > long.MaxValue >> 8) throw new TarFormatException("The archive gives a number that is too large.");
            number = (number << 8) | part;
        }

        return number;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    // pax: records of "length key=value\n", where the length counts all of it.
    private async ValueTask<Dictionary<string, string>> ReadPaxAsync(long size, CancellationToken cancellationToken)
    {
        if (size > MaximumPax) throw new TarFormatException("The archive has an extended header that is too long.");
        var bytes = new byte[(size + BlockSize - 1) / BlockSize * BlockSize];
        await FillAsync(bytes, cancellationToken);
        var records = new Dictionary<string, string>(StringComparer.Ordinal);
        var rest = bytes.AsSpan(0, (int)size);
        while (!rest.IsEmpty)
        {
            if (!Utf8Parser.TryParse(rest, out int length, out var digits) || length <= digits + 2 || length > rest.Length
                || rest[digits] != ' ' || rest[length - 1] != '\n') throw Broken();
            var record = rest[(digits + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1) throw Broken();
            records[Encoding.UTF8.GetString(record[..equals])] = Encoding.UTF8.GetString(record[(equals + 1)..]);
            rest = rest[length..];
        }

        return records;

        static TarFormatException Broken() => new("The archive has an extended header that cannot be read.");
    }

    private async ValueTask FillAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (!destination.IsEmpty)
        {
            if (!await MoreAsync(cancellationToken)) throw Truncated();
            var count = Math.Min(destination.Length, _piece.Length);
            _piece[..count].CopyTo(destination);
            _piece = _piece[count..];
            destination = destination[count..];
        }
    }

    private async ValueTask SkipAsync(int count, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            if (!await MoreAsync(cancellationToken)) throw Truncated();
            var skipped = Math.Min(count, _piece.Length);
            _piece = _piece[skipped..];
            count -= skipped;
        }
    }

    private async ValueTask<bool> MoreAsync(CancellationToken cancellationToken)
    {
        if (_piece.IsEmpty) _piece = await source(cancellationToken);
        return !_piece.IsEmpty;
    }

    private static TarFormatException Truncated() => new("The archive ends too early.");
}
