using FunctionsBackup.Repository.Compression;

namespace FunctionsBackup.Tests.Repository.Compression;

public sealed class CompressibilityProbeTests
{
    public static TheoryData<int> Lengths => [1024, 1025, 4096, 32 << 10, 128 << 10, 512 << 10, 2 << 20];

    [Theory, MemberData(nameof(Lengths))]
    public void Noise_is_stored_raw(int length)
    {
        for (var seed = 0; seed < 20; seed++) CompressibilityProbe.LooksIncompressible(SampleData.Random(length, seed)).ShouldBeTrue();
    }

    [Theory, InlineData(32 << 10), InlineData(128 << 10), InlineData(512 << 10)]
    public void Compressed_audio_is_stored_raw(int length)
    {
        for (var seed = 0; seed < 10; seed++) CompressibilityProbe.LooksIncompressible(SampleData.Opus(length, seed)).ShouldBeTrue();
    }

    [Theory, MemberData(nameof(Lengths))]
    public void Text_records_pages_and_samples_are_compressed(int length)
    {
        for (var seed = 0; seed < 5; seed++)
        {
            CompressibilityProbe.LooksIncompressible(SampleData.Text(length, seed)).ShouldBeFalse("text");
            CompressibilityProbe.LooksIncompressible(SampleData.Json(length, seed)).ShouldBeFalse("json");
            CompressibilityProbe.LooksIncompressible(SampleData.Wave(length, seed)).ShouldBeFalse("wave");
            CompressibilityProbe.LooksIncompressible(SampleData.Pages(length, seed)).ShouldBeFalse("pages");
            CompressibilityProbe.LooksIncompressible(new byte[length]).ShouldBeFalse("zeros");
        }
    }

    [Fact]
    public void Noise_that_repeats_is_compressed()
    {
        var block = SampleData.Random(1000);
        var chunk = new byte[256 << 10];
        for (var i = 0; i < chunk.Length; i++) chunk[i] = block[i % block.Length];
        CompressibilityProbe.LooksIncompressible(chunk).ShouldBeFalse();
    }

    [Fact]
    public void What_zstd_shrinks_by_a_tenth_is_not_called_incompressible()
    {
        using var compressor = new BlockCompressor(CompressionSettings.Default);
        // Noise with a growing part of text: from some part on zstd gains, and the guess must follow.
        for (var part = 0; part <= 100; part += 5)
        {
            var chunk = new byte[64 << 10];
            for (var at = 0; at < chunk.Length; at += 1024)
                (at / 1024 * 37 % 100 < part ? SampleData.Text(1024, at) : SampleData.Random(1024, at)).CopyTo(chunk, at);
            var written = compressor.Compress(chunk, new byte[BlockCompressor.Bound(chunk.Length)]);
            if (written is > 0 and < 9 * (64 << 10) / 10) CompressibilityProbe.LooksIncompressible(chunk).ShouldBeFalse($"{part} % text");
        }
    }

    [Fact]
    public void Small_blocks_are_always_tried() => CompressibilityProbe.LooksIncompressible(SampleData.Random(1023)).ShouldBeFalse();
}
