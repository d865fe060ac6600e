using System.Security.Cryptography;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Indexing;

public sealed class IndexSegmentTests
{
    private const int ChunksPerBlock = 32; // 32 KiB chunks of PostgreSQL pages in 1 MiB blocks
    private const int BlocksPerPack = 100;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(20_000)]
    public async Task Every_chunk_is_found_where_it_is_and_no_other(int chunks)
    {
        var store = new InMemoryObjectStore();
        await using var repository = await TestRepository.CreateAsync(store);
        await repository.Index.AddSegmentAsync(Segment(0, chunks), CancellationToken.None);
        await using var reader = await TestRepository.OpenAsync(store);
        for (var i = 0; i < chunks; i++)
        {
            var found = (await reader.Index.FindAsync(Id(i), CancellationToken.None))!.Value;
            found.BlockInfo.Offset.ShouldBe(Offset(i / ChunksPerBlock % BlocksPerPack));
            found.Pack.Salt[0].ShouldBe((byte)(i / ChunksPerBlock / BlocksPerPack));
            found.Offset.ShouldBe(i % ChunksPerBlock * 32768);
        }

        for (var i = chunks; i < chunks + 5000; i++) (await reader.Index.FindAsync(Id(i), CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task Merging_keeps_every_chunk_and_supersedes_the_merged()
    {
        var store = new InMemoryObjectStore();
        await using var repository = await TestRepository.CreateAsync(store);
        for (var i = 0; i < 7; i++) await repository.Index.AddSegmentAsync(Segment(i * 2500, 3000), CancellationToken.None);
        await new IndexMerger(repository.Index).MergeAsync(repository.Index.Segments, p => p.Salt[0] == 1, CancellationToken.None);
        await using var reader = await TestRepository.OpenAsync(store);
        reader.Index.Segments.Length.ShouldBe(1);
        for (var i = 0; i < 18_000; i++)
        {
            var found = await reader.Index.FindAsync(Id(i), CancellationToken.None);
            if (found is null) (i / ChunksPerBlock / BlocksPerPack).ShouldBe(1, "only packs that were dropped are not found");
        }
    }

    internal static IndexSegmentBuilder Segment(int first, int count)
    {
        var builder = new IndexSegmentBuilder();
        var packs = new Dictionary<int, PackInfo>();
        var blocks = new Dictionary<int, int>();
        for (var i = first; i < first + count; i++)
        {
            var block = i / ChunksPerBlock;
            if (!blocks.TryGetValue(block, out var number))
            {
                if (!packs.TryGetValue(block / BlocksPerPack, out var pack))
                    packs.Add(block / BlocksPerPack, pack = Pack(block / BlocksPerPack));
                number = builder.AddBlock(pack, Offset(block % BlocksPerPack), 150_000, 1 << 20);
                blocks.Add(block, number);
            }

            builder.Add(new IndexEntry(Id(i), number, i % ChunksPerBlock * 32768, 32768));
        }

        return builder;
    }

    private static uint Offset(int block) => (uint)(PackFormat.HeaderSize + (block * 150_000));

    private static PackInfo Pack(int number) =>
        new(SHA256.HashData(BitConverter.GetBytes(number)), [(byte)number, .. new byte[31]], PackKind.Data, 1, PackFormat.TargetSize);

    internal static ChunkId Id(int number) => ChunkId.Read(SHA256.HashData(BitConverter.GetBytes(number + 1_000_000_000)));
}
