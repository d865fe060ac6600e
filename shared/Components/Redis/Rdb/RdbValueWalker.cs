using System.Buffers.Binary;
using System.Globalization;

namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>Finds the end of a serialized value without decoding it (rdb.c: <c>rdbLoadObject</c>).</summary>
internal sealed class RdbValueWalker(RdbInput input)
{
    /// <summary>Encodings of strings: integers of 1, 2 and 4 bytes, and LZF.</summary>
    internal const int Int8 = 0, Int32 = 2, Compressed = 3;

    /// <summary>A length, where it must be one.</summary>
    public async ValueTask<ulong> ReadLengthAsync(CancellationToken cancellationToken)
    {
        var (length, encoding) = await ReadPrefixAsync(cancellationToken).ConfigureAwait(false);
        return encoding < 0 ? length : throw Damaged("a length");
    }

    /// <summary>A length, or how a string is encoded instead; then it is not negative.</summary>
    public ValueTask<(ulong Length, int Encoding)> ReadPrefixAsync(CancellationToken cancellationToken)
    {
        var ahead = input.Ahead;
        if (ahead.Length < 9) return ReadPrefixSlowlyAsync(cancellationToken);
        return new(Decode(ahead));
    }

    public async ValueTask SkipValueAsync(byte type, bool isValkey, CancellationToken cancellationToken)
    {
        switch (type)
        {
            case RdbTypes.String or RdbTypes.HashZipmap or RdbTypes.ListZiplist or RdbTypes.SetIntset or RdbTypes.SortedSetZiplist or RdbTypes.HashZiplist
                or RdbTypes.HashListpack or RdbTypes.SortedSetListpack or RdbTypes.SetListpack:
                await SkipStringAsync(cancellationToken).ConfigureAwait(false);
                return;
            case RdbTypes.List or RdbTypes.Set or RdbTypes.ListQuicklist:
                await SkipStringsAsync(await ReadLengthAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                return;
            case RdbTypes.Hash:
                await SkipStringsAsync(checked(2 * await ReadCountAsync(cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
                return;
            case RdbTypes.SortedSet:
                for (var left = await ReadCountAsync(cancellationToken).ConfigureAwait(false); left > 0; left--)
                {
                    await SkipStringAsync(cancellationToken).ConfigureAwait(false);
                    var length = await input.ReadByteAsync(cancellationToken).ConfigureAwait(false); // a score as text; 253 to 255 are none
                    if (length < 253) await input.SkipAsync(length, cancellationToken).ConfigureAwait(false);
                }

                return;
            case RdbTypes.SortedSet2:
                for (var left = await ReadCountAsync(cancellationToken).ConfigureAwait(false); left > 0; left--)
                {
                    await SkipStringAsync(cancellationToken).ConfigureAwait(false);
                    await input.SkipAsync(8, cancellationToken).ConfigureAwait(false);
                }

                return;
            case RdbTypes.ListQuicklist2:
                for (var left = await ReadCountAsync(cancellationToken).ConfigureAwait(false); left > 0; left--)
                {
                    await ReadLengthAsync(cancellationToken).ConfigureAwait(false); // plain or packed
                    await SkipStringAsync(cancellationToken).ConfigureAwait(false);
                }

                return;
            case RdbTypes.Stream or RdbTypes.Stream2 or RdbTypes.Stream3:
                await SkipStreamAsync(type, cancellationToken).ConfigureAwait(false);
                return;
            case RdbTypes.ValkeyHash2 when isValkey:
                for (var left = await ReadCountAsync(cancellationToken).ConfigureAwait(false); left > 0; left--)
                {
                    await SkipStringsAsync(2, cancellationToken).ConfigureAwait(false);
                    await input.SkipAsync(8, cancellationToken).ConfigureAwait(false);
                }

                return;
            case RdbTypes.HashMetadata or RdbTypes.HashMetadataEarly when !isValkey:
                if (type == RdbTypes.HashMetadata) await input.SkipAsync(8, cancellationToken).ConfigureAwait(false); // the earliest expiry
                for (var left = await ReadCountAsync(cancellationToken).ConfigureAwait(false); left > 0; left--)
                {
                    await ReadLengthAsync(cancellationToken).ConfigureAwait(false); // the field's expiry
                    await SkipStringsAsync(2, cancellationToken).ConfigureAwait(false);
                }

                return;
            case RdbTypes.HashListpackExpiry or RdbTypes.HashListpackExpiryEarly when !isValkey:
                if (type == RdbTypes.HashListpackExpiry) await input.SkipAsync(8, cancellationToken).ConfigureAwait(false);
                await SkipStringAsync(cancellationToken).ConfigureAwait(false);
                return;
            case RdbTypes.Module2:
                await SkipModuleAsync(cancellationToken).ConfigureAwait(false);
                return;
            default:
                throw new RdbFormatException(
                    $"The RDB holds a value of type {type.ToString(CultureInfo.InvariantCulture)}, which this version does not know; take a newer fbackup, or set components.redis.mode to scan.");
        }
    }

    /// <summary>The data of a module: its id, and values that say what they are.</summary>
    public async ValueTask SkipModuleAsync(CancellationToken cancellationToken)
    {
        await ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            switch (await ReadLengthAsync(cancellationToken).ConfigureAwait(false))
            {
                case 0:
                    return;
                case 1 or 2:
                    await ReadLengthAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                case 3:
                    await input.SkipAsync(4, cancellationToken).ConfigureAwait(false);
                    continue;
                case 4:
                    await input.SkipAsync(8, cancellationToken).ConfigureAwait(false);
                    continue;
                case 5:
                    await SkipStringAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                default:
                    throw Damaged("the data of a module");
            }
        }
    }

    private async ValueTask SkipStreamAsync(byte type, CancellationToken cancellationToken)
    {
        await SkipStringsAsync(checked(2 * await ReadCountAsync(cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false); // ids and listpacks
        await SkipLengthsAsync(type >= RdbTypes.Stream2 ? 8 : 3, cancellationToken).ConfigureAwait(false);
        for (var groups = await ReadCountAsync(cancellationToken).ConfigureAwait(false); groups > 0; groups--)
        {
            await SkipStringAsync(cancellationToken).ConfigureAwait(false);
            await SkipLengthsAsync(type >= RdbTypes.Stream2 ? 3 : 2, cancellationToken).ConfigureAwait(false);
            for (var pending = await ReadCountAsync(cancellationToken).ConfigureAwait(false); pending > 0; pending--)
            {
                await input.SkipAsync(16 + 8, cancellationToken).ConfigureAwait(false);
                await ReadLengthAsync(cancellationToken).ConfigureAwait(false);
            }

            for (var consumers = await ReadCountAsync(cancellationToken).ConfigureAwait(false); consumers > 0; consumers--)
            {
                await SkipStringAsync(cancellationToken).ConfigureAwait(false);
                await input.SkipAsync(type >= RdbTypes.Stream3 ? 16 : 8, cancellationToken).ConfigureAwait(false);
                await input.SkipAsync(checked((long)(16 * await ReadCountAsync(cancellationToken).ConfigureAwait(false))), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask SkipLengthsAsync(int count, CancellationToken cancellationToken)
    {
        for (var i = 0; i < count; i++) await ReadLengthAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SkipStringsAsync(ulong count, CancellationToken cancellationToken)
    {
        for (; count > 0; count--) await SkipStringAsync(cancellationToken).ConfigureAwait(false);
    }

    private ValueTask SkipStringAsync(CancellationToken cancellationToken)
    {
        var ahead = input.Ahead;
        if (ahead.Length < 9) return SkipStringSlowlyAsync(cancellationToken);
        var (length, encoding) = Decode(ahead);
        if (encoding < 0) return input.SkipAsync((long)Math.Min(length, long.MaxValue), cancellationToken);
        if (encoding <= Int32) return input.SkipAsync(1 << encoding, cancellationToken);
        return SkipCompressedAsync(cancellationToken);
    }

    private async ValueTask SkipStringSlowlyAsync(CancellationToken cancellationToken)
    {
        var (length, encoding) = await ReadPrefixAsync(cancellationToken).ConfigureAwait(false);
        if (encoding < 0) await input.SkipAsync((long)Math.Min(length, long.MaxValue), cancellationToken).ConfigureAwait(false);
        else if (encoding <= Int32) await input.SkipAsync(1 << encoding, cancellationToken).ConfigureAwait(false);
        else await SkipCompressedAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SkipCompressedAsync(CancellationToken cancellationToken)
    {
        var stored = await ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        await ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        await input.SkipAsync((long)Math.Min(stored, long.MaxValue), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A number of elements: each has at least a byte, so that what is not there ends the reading soon.</summary>
    private async ValueTask<ulong> ReadCountAsync(CancellationToken cancellationToken)
    {
        var count = await ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        return count <= 1UL << 40 ? count : throw Damaged("a number of elements");
    }

    private async ValueTask<(ulong, int)> ReadPrefixSlowlyAsync(CancellationToken cancellationToken)
    {
        await input.EnsureAsync(1, cancellationToken).ConfigureAwait(false);
        var first = input.Ahead[0];
        await input.EnsureAsync((first >> 6) switch { 0 or 3 => 1, 1 => 2, _ => first == 0x80 ? 5 : 9 }, cancellationToken).ConfigureAwait(false);
        return Decode(input.Ahead);
    }

    /// <summary>Decodes and consumes; enough bytes lie ahead.</summary>
    private (ulong Length, int Encoding) Decode(ReadOnlySpan<byte> ahead)
    {
        var first = ahead[0];
        switch (first >> 6)
        {
            case 0:
                input.Advance(1);
                return (first, -1);
            case 1:
                input.Advance(2);
                return ((ulong)(((first & 0x3f) << 8) | ahead[1]), -1);
            case 3:
                if ((first & 0x3f) > Compressed) throw Damaged("the encoding of a string");
                input.Advance(1);
                return (0, first & 0x3f);
            default:
                if (first == 0x80)
                {
                    input.Advance(5);
                    return (BinaryPrimitives.ReadUInt32BigEndian(ahead[1..]), -1);
                }

                if (first != 0x81) throw Damaged("a length");
                input.Advance(9);
                return (BinaryPrimitives.ReadUInt64BigEndian(ahead[1..]), -1);
        }
    }

    private RdbFormatException Damaged(string what) =>
        new($"The RDB is damaged at byte {input.Position.ToString(CultureInfo.InvariantCulture)}: {what} cannot be right; take it again.");
}
