using System.Buffers.Binary;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Compression.Pcm;
using FunctionsBackup.Repository.Packing;

namespace FunctionsBackup.Tests.Repository.Compression;

public sealed class PcmCodecTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    public void Sound_is_found_and_packed_smaller_than_zstd_can(int phase, int channels)
    {
        var sound = Sound(300_001, phase, channels, 1);
        var found = PcmProbe.Detect(sound).ShouldNotBeNull();
        found.Layout.Phase.ShouldBe(phase);
        var plain = Zstd(sound);
        var (algorithm, length) = RoundTrip([sound]);
        algorithm.ShouldBe(BlockCodec.PcmAlgorithm);
        length.ShouldBeLessThan((int)(plain * 0.9));
    }

    [Fact]
    public void What_is_no_sound_is_left_to_zstd_unless_it_packs_better_as_sound()
    {
        var random = new byte[200_000];
        new Random(1).NextBytes(random);
        var text = System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{{\"speaker\":\"agent\",\"at\":{i * 37},\"text\":\"word {i % 97}\"}},")));
        var all = new Dictionary<string, byte[]>
        {
            ["random"] = random, ["text"] = text, ["zeros"] = new byte[200_000], ["pages"] = SampleData.Pages(200_000),
            ["opus"] = SampleData.Opus(200_000), ["json"] = SampleData.Json(200_000),
        };
        foreach (var (name, bytes) in all)
        {
            var (algorithm, length) = RoundTrip([bytes]);
            if (algorithm == BlockCodec.PcmAlgorithm) length.ShouldBeLessThan(Zstd(bytes), $"{name}: taken for sound, and not even smaller");
        }
    }

    [Fact]
    public void Chunks_of_every_kind_and_length_come_back_from_one_block()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var chunks = new List<byte[]>();
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                var length = random.Next(3) == 0 ? random.Next(1, 100) : random.Next(PcmProbe.MinimumLength, 150_000);
                var chunk = random.Next(3) > 0 ? Sound(length, random.Next(2), random.Next(1, 3), random.Next()) : new byte[length];
                if (random.Next(5) == 0) random.NextBytes(chunk);
                chunks.Add(chunk);
            }

            RoundTrip(chunks);
        }
    }

    [Fact]
    public void Every_layout_splits_and_joins_every_sample()
    {
        var bytes = new byte[4099];
        new Random(3).NextBytes(bytes);
        short[] extremes = [short.MinValue, short.MaxValue, short.MinValue, 0, -1, 1, short.MaxValue, short.MaxValue, short.MinValue];
        for (var i = 0; i < extremes.Length; i++) BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(100 + (i * 2)), extremes[i]);
        for (byte code = 0; code < 12; code++)
        {
            PcmLayout.TryDecode(code, out var layout).ShouldBeTrue();
            layout.Code.ShouldBe(code);
            for (var length = 0; length < 200; length++) Check(bytes.AsSpan(90, length), layout);
            Check(bytes, layout);
        }

        PcmLayout.TryDecode(12, out _).ShouldBeFalse();

        static void Check(Span<byte> bytes, PcmLayout layout)
        {
            var samples = layout.SamplesIn(bytes.Length);
            byte[] high = new byte[samples], low = new byte[samples], back = new byte[bytes.Length];
            PcmSplitter.Split(bytes, layout, high, low);
            PcmSplitter.Join(high, low, layout, back);
            for (var i = layout.Phase; i < layout.Phase + (2 * samples); i++) back[i].ShouldBe(bytes[i]);
        }
    }

    [Fact]
    public void Malformed_blocks_are_refused()
    {
        using var plain = new BlockCompressor(CompressionSettings.Default);
        using var pcm = new PcmCodec();
        using var decompressor = new BlockDecompressor();
        byte[] block = [.. Sound(60_000, 1, 1, 1), .. Sound(45_000, 0, 2, 2)];
        int[] lengths = [60_000, 45_000];
        var layouts = new byte[2];
        var packed = new byte[BlockCodec.Bound(block.Length)];
        PcmCodec.TryPlan(block, lengths, layouts, plain, packed).ShouldBeTrue();
        var length = pcm.Compress(block, lengths, layouts, plain, packed);
        length.ShouldBeGreaterThan(0);
        var target = new byte[block.Length];
        PcmCodec.Decompress(decompressor, packed.AsSpan(0, length), target);
        target.ShouldBe(block);
        for (var cut = 0; cut < length; cut += cut < 64 ? 1 : 97)
            Should.Throw<InvalidDataException>(() => PcmCodec.Decompress(decompressor, packed.AsSpan(0, cut), target));
        Should.Throw<InvalidDataException>(() => PcmCodec.Decompress(decompressor, packed.AsSpan(0, length), new byte[block.Length - 1]));
        var random = new Random(5);
        for (var i = 0; i < 3000; i++)
        {
            var harmed = packed.AsSpan(0, length).ToArray();
            for (var n = random.Next(1, 4); n > 0; n--) harmed[random.Next(random.Next(2) == 0 ? 24 : length)] ^= (byte)random.Next(1, 256);
            try
            {
                PcmCodec.Decompress(decompressor, harmed, target);
            }
            catch (InvalidDataException)
            {
                // Refused; what is not refused is found by the block's tag and the chunk's id.
            }
        }
    }

    private static (byte Algorithm, int Length) RoundTrip(IReadOnlyList<byte[]> chunks)
    {
        using var encoder = new BlockEncoder(CompressionSettings.Default);
        using var decompressor = new BlockDecompressor();
        byte[] block = [.. chunks.SelectMany(c => c)];
        var packed = new byte[BlockCodec.Bound(block.Length)];
        var length = encoder.Encode(block, [.. chunks.Select(c => new PackChunk(default(ChunkId), c.Length))], true, packed);
        var body = packed.AsSpan(PackFormat.BlockHeaderSize, length - PackFormat.BlockHeaderSize);
        var back = new byte[block.Length];
        if (packed[0] == BlockCodec.PcmAlgorithm) PcmCodec.Decompress(decompressor, body, back);
        else decompressor.Decompress((CompressionAlgorithm)packed[0], body, back);
        back.AsSpan().SequenceEqual(block).ShouldBeTrue();
        return (packed[0], length);
    }

    private static int Zstd(byte[] bytes)
    {
        using var plain = new BlockCompressor(CompressionSettings.Default);
        var length = plain.Compress(bytes, new byte[BlockCodec.Bound(bytes.Length)]);
        return length == 0 ? bytes.Length : length;
    }

    /// <summary>A few tones with noise, as a voice over a telephone might be.</summary>
    private static byte[] Sound(int length, int phase, int channels, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        random.NextBytes(bytes.AsSpan(0, Math.Min(phase, length)));
        for (var i = 0; phase + (i * 2) + 1 < length; i++)
        {
            var t = i / channels / 16000.0;
            var channel = i % channels;
            var value = (5000 * Math.Sin(t * 1300 * (1 + channel))) + (2500 * Math.Sin(t * 3700)) + (random.NextDouble() * 300);
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(phase + (i * 2)), (short)value);
        }

        return bytes;
    }
}
