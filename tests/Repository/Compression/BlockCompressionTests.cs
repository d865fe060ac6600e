using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Native;

namespace FunctionsBackup.Tests.Repository.Compression;

public sealed class BlockCompressionTests
{
    public static TheoryData<CompressionAlgorithm, int> Algorithms => new()
    {
        { CompressionAlgorithm.Zstd, 1 }, { CompressionAlgorithm.Zstd, 3 }, { CompressionAlgorithm.Zstd, 19 },
        { CompressionAlgorithm.Lz4, 1 }, { CompressionAlgorithm.Lz4, 9 }, { CompressionAlgorithm.Gzip, 6 },
    };

    [Theory, MemberData(nameof(Algorithms))]
    public void What_was_compressed_comes_back(CompressionAlgorithm algorithm, int level)
    {
        using var compressor = new BlockCompressor(new(algorithm, level));
        using var decompressor = new BlockDecompressor();
        foreach (var length in new[] { 100, 4096, 32768, 524288, 2 << 20 })
        {
            var source = SampleData.Text(length);
            var target = new byte[BlockCompressor.Bound(length)];
            var written = compressor.Compress(source, target);
            written.ShouldBeInRange(1, length - 1);
            var restored = new byte[length];
            decompressor.Decompress(algorithm, target.AsSpan(0, written), restored);
            restored.AsSpan().SequenceEqual(source).ShouldBeTrue();
        }
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void What_does_not_get_smaller_is_left_alone(CompressionAlgorithm algorithm, int level)
    {
        using var compressor = new BlockCompressor(new(algorithm, level));
        foreach (var length in new[] { 0, 1, 2, 17, 4096, 100_000 })
        {
            var source = SampleData.Random(length);
            compressor.Compress(source, new byte[length]).ShouldBe(0);
            compressor.Compress(source, new byte[BlockCompressor.Bound(length)]).ShouldBe(0);
        }
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void A_destination_of_the_sources_length_is_enough(CompressionAlgorithm algorithm, int level)
    {
        using var compressor = new BlockCompressor(new(algorithm, level));
        using var decompressor = new BlockDecompressor();
        var source = SampleData.Text(5000);
        var target = new byte[source.Length];
        var written = compressor.Compress(source, target);
        var restored = new byte[source.Length];
        decompressor.Decompress(algorithm, target.AsSpan(0, written), restored);
        restored.ShouldBe(source);
        Should.Throw<ArgumentException>(() => compressor.Compress(source, new byte[source.Length - 1]));
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Hostile_blocks_are_refused_or_fill_the_destination(CompressionAlgorithm algorithm, int level)
    {
        using var compressor = new BlockCompressor(new(algorithm, level));
        using var decompressor = new BlockDecompressor();
        var source = SampleData.Text(3000);
        var target = new byte[BlockCompressor.Bound(3000)];
        var block = target.AsSpan(0, compressor.Compress(source, target)).ToArray();
        var restored = new byte[3000];
        for (var cut = 0; cut < block.Length; cut++)
            Should.Throw<InvalidDataException>(() => decompressor.Decompress(algorithm, block.AsSpan(0, cut), restored));
        foreach (var length in new[] { 0, 1, 2999, 3001 })
            Should.Throw<InvalidDataException>(() => decompressor.Decompress(algorithm, block, new byte[length]));
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var flipped = (byte[])block.Clone();
            flipped[random.Next(flipped.Length)] ^= (byte)random.Next(1, 256);
            try
            {
                decompressor.Decompress(algorithm, flipped, restored);
            }
            catch (InvalidDataException)
            {
                // Allowed; what is not is any other exception or a write outside the destination.
            }
        }

        decompressor.Decompress(algorithm, block, restored);
        restored.ShouldBe(source);
    }

    [Fact]
    public void Raw_blocks_are_copied_and_their_length_is_checked()
    {
        using var decompressor = new BlockDecompressor();
        var restored = new byte[3];
        decompressor.Decompress(CompressionAlgorithm.None, new byte[] { 1, 2, 3 }, restored);
        restored.ShouldBe(new byte[] { 1, 2, 3 });
        Should.Throw<InvalidDataException>(() => decompressor.Decompress(CompressionAlgorithm.None, new byte[2], restored));
        Should.Throw<InvalidDataException>(() => decompressor.Decompress((CompressionAlgorithm)9, new byte[3], restored));
        using var none = new BlockCompressor(CompressionSettings.None);
        none.Compress(SampleData.Text(1000), new byte[1000]).ShouldBe(0);
    }

    [Theory]
    [InlineData(CompressionAlgorithm.Zstd, 0), InlineData(CompressionAlgorithm.Zstd, 23), InlineData(CompressionAlgorithm.Lz4, 13)]
    [InlineData(CompressionAlgorithm.Gzip, 10), InlineData((CompressionAlgorithm)4, 1)]
    public void Unknown_algorithms_and_levels_are_refused(CompressionAlgorithm algorithm, int level) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new BlockCompressor(new(algorithm, level)));

    [Fact]
    public void A_missing_library_names_its_package()
    {
        var error = Should.Throw<MissingLibraryException>(() => NativeLibraries.Load("libnot-here.so.1"));
        error.Message.ShouldContain("libnot-here.so.1");
        error.Message.ShouldContain("apt-get install");
    }
}
