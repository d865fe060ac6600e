using System.Buffers.Binary;

namespace FunctionsBackup.Benchmarks.DataSets.Audio;

/// <summary>A file shaped like Ogg Opus: page headers of RFC 3533 around payload that does not compress.</summary>
public static class OpusFile
{
    private const int SegmentsPerPage = 50;

    public static void Write(string path, int bytes, SplitMix random)
    {
        var data = new byte[bytes];
        var at = 0;
        Span<byte> header = stackalloc byte[27 + SegmentsPerPage];
        var serial = (uint)random.Next();
        for (uint page = 0; at < data.Length; page++)
        {
            header.Clear();
            "OggS"u8.CopyTo(header);
            BinaryPrimitives.WriteUInt64LittleEndian(header[6..], page * 48_000UL);
            BinaryPrimitives.WriteUInt32LittleEndian(header[14..], serial);
            BinaryPrimitives.WriteUInt32LittleEndian(header[18..], page);
            BinaryPrimitives.WriteUInt32LittleEndian(header[22..], (uint)random.Next());
            header[26] = SegmentsPerPage;
            var payload = 0;
            foreach (ref var segment in header[27..])
            {
                segment = (byte)random.Between(60, 180);
                payload += segment;
            }

            var part = Math.Min(header.Length, data.Length - at);
            header[..part].CopyTo(data.AsSpan(at));
            at += part;
            part = Math.Min(payload, data.Length - at);
            random.Fill(data.AsSpan(at, part));
            at += part;
        }

        File.WriteAllBytes(path, data);
    }
}
