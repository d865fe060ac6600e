using System.Buffers.Binary;

namespace FunctionsBackup.Benchmarks.DataSets.Audio;

/// <summary>
/// A call as 16-bit PCM at 16 kHz: voiced stretches (a pitch that drifts, with harmonics under an envelope), pauses, and the noise floor of
/// a line. Compresses like real telephony audio: a little, and hardly in the voiced parts.
/// </summary>
public static class WaveFile
{
    private const int HeaderSize = 44;
    private const int SampleRate = 16_000;
    private const int TableBits = 12;
    private static readonly float[] Sine = MakeSine();

    public static void Write(string path, int bytes, SplitMix random)
    {
        var data = new byte[Math.Max(HeaderSize, bytes & ~1)];
        WriteHeader(data);
        WriteSamples(data.AsSpan(HeaderSize), ref random);
        File.WriteAllBytes(path, data);
    }

    private static void WriteHeader(Span<byte> data)
    {
        "RIFF"u8.CopyTo(data);
        BinaryPrimitives.WriteInt32LittleEndian(data[4..], data.Length - 8);
        "WAVEfmt "u8.CopyTo(data[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(data[16..], 16);
        BinaryPrimitives.WriteInt16LittleEndian(data[20..], 1);
        BinaryPrimitives.WriteInt16LittleEndian(data[22..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(data[24..], SampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(data[28..], SampleRate * 2);
        BinaryPrimitives.WriteInt16LittleEndian(data[32..], 2);
        BinaryPrimitives.WriteInt16LittleEndian(data[34..], 16);
        "data"u8.CopyTo(data[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(data[40..], data.Length - HeaderSize);
    }

    private static void WriteSamples(Span<byte> pcm, ref SplitMix random)
    {
        uint phase = 0;
        var at = 0;
        while (at < pcm.Length)
        {
            var voiced = random.Below(10) < 7;
            var length = Math.Min(pcm.Length - at, 2 * random.Between(SampleRate / 10, SampleRate));
            var step = (uint)(random.Between(90, 240) * (4294967296.0 / SampleRate));
            var loud = voiced ? random.Between(1500, 9000) : 0;
            var noise = random.Between(6, 30);
            var second = (float)random.Fraction();
            var third = (float)random.Fraction() * 0.6f;
            var stretch = pcm.Slice(at, length);
            for (var i = 0; i + 1 < stretch.Length; i += 2)
            {
                phase += step;
                var envelope = Sine[(int)((uint)(i * (2048.0 / length)) & 4095)];
                var tone = At(phase) + (second * At(phase * 2)) + (third * At(phase * 5));
                var hiss = (int)(random.Next() >> 40 & 0xFFFF) - 32768;
                var sample = (tone * envelope * loud) + (hiss * noise / 32768f);
                BinaryPrimitives.WriteInt16LittleEndian(stretch[i..], (short)Math.Clamp(sample, short.MinValue, short.MaxValue));
            }

            at += length;
        }
    }

    private static float At(uint phase) => Sine[phase >> (32 - TableBits)];

    private static float[] MakeSine()
    {
        var table = new float[1 << TableBits];
        for (var i = 0; i < table.Length; i++) table[i] = (float)Math.Sin(2 * Math.PI * i / table.Length);
        return table;
    }
}
