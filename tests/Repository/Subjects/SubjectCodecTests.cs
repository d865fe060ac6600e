using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Tests.Repository.Subjects;

/// <summary>Chunks under the key of a data subject.</summary>
public sealed class SubjectCodecTests : IDisposable
{
    private const string Repository = "0123456789abcdef0123456789abcdef";
    private static readonly SubjectRef Reference = new(UInt128.MaxValue / 3, 1);

    private readonly SubjectKey _key = new(Reference, Repository, SampleData.Random(32, 7));
    private readonly SubjectCodec _codec = new(CompressionSettings.Default);

    public void Dispose()
    {
        _key.Dispose();
        _codec.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(500_000)]
    [InlineData(SubjectCodec.MaximumChunk)]
    public void What_is_sealed_opens_and_equal_chunks_are_sealed_to_equal_bytes(int length)
    {
        foreach (var chunk in new[] { SampleData.Random(length), SampleData.Text(length), new byte[length], SampleData.Wave(length) })
        {
            var stored = _codec.Seal(_key, chunk).ToArray();
            stored.Length.ShouldBeLessThanOrEqualTo(ContentLimits.MaximumChunkSize);
            stored.Length.ShouldBeLessThanOrEqualTo(length + SubjectCodec.Overhead);
            _codec.Open(_key, stored, length).ToArray().ShouldBe(chunk);
            _codec.Seal(_key, chunk).ToArray().ShouldBe(stored);
            if (length > 32) stored.AsSpan().IndexOf(chunk.AsSpan(0, 32)).ShouldBe(-1);
        }

        if (length > 1000) _codec.Seal(_key, SampleData.Text(length)).Length.ShouldBeLessThan(length / 2, "it is compressed before it is sealed");
    }

    [Fact]
    public void No_other_subject_repository_or_generation_opens_it_and_no_changed_byte_passes()
    {
        var chunk = SampleData.Text(200);
        var stored = _codec.Seal(_key, chunk).ToArray();
        foreach (var (reference, repository, seed) in new[]
        {
            (Reference with { Generation = 2 }, Repository, 7), (Reference with { Pseudonym = 1 }, Repository, 7), (Reference, new string('0', 32), 7),
            (Reference, Repository, 8),
        })
        {
            using var other = new SubjectKey(reference, repository, SampleData.Random(32, seed));
            Should.Throw<InvalidDataException>(() => _codec.Open(other, stored, chunk.Length));
            _codec.Seal(other, chunk).ToArray().ShouldNotBe(stored);
        }

        for (var at = 0; at < stored.Length; at++)
        {
            var spoilt = (byte[])stored.Clone();
            spoilt[at] ^= 1;
            Should.Throw<InvalidDataException>(() => _codec.Open(_key, spoilt, chunk.Length), $"byte {at}");
        }

        Should.Throw<InvalidDataException>(() => _codec.Open(_key, stored, chunk.Length + 1));
        Should.Throw<InvalidDataException>(() => _codec.Open(_key, stored.AsSpan(0, 20), chunk.Length));
        Should.Throw<InvalidDataException>(() => _codec.Open(_key, [], chunk.Length));
    }

    [Fact]
    public void Lengths_of_sealed_chunks_go_through_lists_and_impossible_ones_do_not()
    {
        var bytes = new byte[ItemList.ItemSize];
        var item = new ContentItem(SampleId(), 1000, 530);
        ItemList.Write(bytes, item);
        ItemList.Read(bytes).ShouldBe(item);
        item.PackedLength.ShouldBe(530);
        foreach (var sealedLength in new[] { -1, ContentLimits.MaximumChunkSize + 1, int.MinValue })
        {
            ItemList.Write(bytes, item with { Sealed = sealedLength });
            Should.Throw<InvalidDataException>(() => ItemList.Read(bytes));
        }

        ItemList.Write(bytes, ContentItem.Hole(1L << 50));
        ItemList.Read(bytes).ShouldBe(ContentItem.Hole(1L << 50));
    }

    private static FunctionsBackup.Repository.ChunkId SampleId() => FunctionsBackup.Repository.ChunkId.Read(SampleData.Random(24, 3));
}
