using System.Buffers.Binary;
using System.Text;

namespace FunctionsBackup.Tests.Repository;

/// <summary>Data of the kinds that a voice platform keeps, made from a seed.</summary>
internal static class SampleData
{
    private static readonly string[] Words =
        "the agent caller said please hold while I transfer your account number order thanks room session audio track latency".Split(' ');

    public static byte[] Random(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] Text(int length, int seed = 1)
    {
        var random = new Random(seed);
        var text = new StringBuilder(length + 20);
        while (text.Length < length) text.Append(Words[random.Next(Words.Length)]).Append(random.Next(12) == 0 ? ".\n" : " ");
        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }

    public static byte[] Json(int length, int seed = 1)
    {
        var random = new Random(seed);
        var text = new StringBuilder(length + 200);
        while (text.Length < length)
        {
            text.Append($"{{\"at\":{random.NextDouble() * 1e6:F3},\"speaker\":\"{(random.Next(2) == 0 ? "agent" : "caller")}\",")
                .Append($"\"id\":\"{random.NextInt64():x16}\",\"text\":\"{Words[random.Next(Words.Length)]} {Words[random.Next(Words.Length)]}\"}}\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }

    /// <summary>16-bit mono PCM: a few wandering harmonics and a little noise, loud and quiet passages.</summary>
    public static byte[] Wave(int length, int seed = 1)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        double phase = 0, pitch = 0.02, loudness = 3000;
        for (var i = 0; i + 1 < length; i += 2)
        {
            if (i % 4096 == 0) (pitch, loudness) = (0.01 + random.NextDouble() * 0.05, random.NextDouble() * 9000);
            phase += pitch;
            var value = loudness * (Math.Sin(phase) + 0.5 * Math.Sin(2.01 * phase) + 0.25 * Math.Sin(3.02 * phase)) + random.Next(-200, 200);
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(i), (short)value);
        }

        return bytes;
    }

    /// <summary>8 KiB pages as PostgreSQL lays them out: header, line pointers, a hole, and tuples from the end.</summary>
    public static byte[] Pages(int length, int seed = 1)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        var id = 0;
        for (var start = 0; start < length; start += 8192)
        {
            var page = bytes.AsSpan(start, Math.Min(8192, length - start));
            if (page.Length < 8192) break;
            BinaryPrimitives.WriteInt64LittleEndian(page, 0x1_0000_0000 + start);
            int lower = 24, upper = 8192;
            while (upper - lower > 200)
            {
                var tuple = 100 + random.Next(60);
                upper -= tuple;
                BinaryPrimitives.WriteUInt32LittleEndian(page[lower..], (uint)(upper | tuple << 17));
                lower += 4;
                var row = page.Slice(upper, tuple);
                BinaryPrimitives.WriteInt32LittleEndian(row, 740 + start / 65536);
                BinaryPrimitives.WriteInt32LittleEndian(row[24..], id++);
                BinaryPrimitives.WriteInt64LittleEndian(row[32..], 800_000_000_000_000 + id * 1_000_003L + random.Next(1000));
                random.NextBytes(row.Slice(40, 16));
                Text(tuple - 56, random.Next()).CopyTo(row[56..]);
            }

            BinaryPrimitives.WriteUInt16LittleEndian(page[12..], (ushort)lower);
            BinaryPrimitives.WriteUInt16LittleEndian(page[14..], (ushort)upper);
        }

        return bytes;
    }

    /// <summary>Ogg Opus as a recorder writes it: pages of 50 packets with their lacing tables, packets of noise.</summary>
    public static byte[] Opus(int length, int seed = 1)
    {
        var random = new Random(seed);
        var bytes = new byte[length + 65536];
        var at = 0;
        for (var page = 0; at < length; page++)
        {
            "OggS"u8.CopyTo(bytes.AsSpan(at));
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 6), page * 48000L);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at + 18), page);
            random.NextBytes(bytes.AsSpan(at + 22, 4));
            bytes[at + 26] = 50;
            var body = 0;
            for (var packet = 0; packet < 50; packet++)
            {
                var size = 60 + random.Next(80);
                bytes[at + 27 + packet] = (byte)size;
                body += size;
            }

            var start = at + 77;
            random.NextBytes(bytes.AsSpan(start, body));
            for (var packet = 0; packet < 50; packet++)
            {
                bytes[start] = 0x78;
                start += bytes[at + 27 + packet];
            }

            at = start;
        }

        return bytes[..length];
    }
}
