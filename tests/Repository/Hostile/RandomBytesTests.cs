using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Hostile;

/// <summary>Decoders get arbitrary bytes, as somebody with the keys could write them: they decode or say that it is damage, nothing else.</summary>
public sealed class RandomBytesTests
{
    private const int Rounds = 4000;

    [Fact]
    public void Catalog_leaves()
    {
        var good = new ArrayBufferWriter<byte>();
        byte[] previous = [];
        for (var i = 0; i < 6; i++)
        {
            byte[] path = [.. "some/path/"u8, (byte)('a' + i)];
            CatalogCodec.Write(good, Entry(path, i), previous);
            previous = path;
        }

        CatalogCodec.ReadLeaf(good.WrittenSpan).Count.ShouldBe(6);
        foreach (var bytes in Mutations(good.WrittenSpan.ToArray())) Try(() => CatalogCodec.ReadLeaf(bytes));
    }

    [Fact]
    public void Contents_whose_lengths_add_up_to_more_than_a_number_holds()
    {
        var good = new ArrayBufferWriter<byte>();
        var huge = ContentItem.Hole(long.MaxValue);
        CatalogCodec.Write(
            good, new CatalogEntry { Path = "a"u8.ToArray(), Kind = EntryKind.File, Content = new ContentRef(long.MaxValue, 0, [huge, huge, huge]) }, []);
        Should.Throw<InvalidDataException>(() => CatalogCodec.ReadLeaf(good.WrittenSpan));
        foreach (var depth in (int[])[-1, 9])
            Should.Throw<JsonException>(() => Content($$"""{"size":0,"depth":{{depth}},"items":""}"""));
        Should.Throw<JsonException>(() => Content("""{"size":5,"depth":0,"items":""}"""));
    }

    [Fact]
    public void Pack_directories()
    {
        var good = PackDirectory.Encode(
        [
            new PackBlock(PackFormat.HeaderSize, 100, 30, [new PackChunk(default, 10), new PackChunk(default, 20)]),
            new PackBlock(PackFormat.HeaderSize + 100, 50, 7, [new PackChunk(default, 7)]),
        ]);
        PackDirectory.Decode(good, PackFormat.HeaderSize + 150).Count.ShouldBe(2);
        foreach (var bytes in Mutations(good)) Try(() => PackDirectory.Decode(bytes, PackFormat.HeaderSize + 150));
    }

    [Fact]
    public void Contents_in_snapshot_records()
    {
        var good = """{"size":40,"depth":1,"items":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBQAAAAAAAAAA="}"""u8.ToArray();
        Content(System.Text.Encoding.UTF8.GetString(good))!.Items.Length.ShouldBe(1);
        foreach (var bytes in Mutations(good)) Try(() => JsonSerializer.Deserialize(bytes, SnapshotJson.Default.ContentRef));
    }

    /// <summary>The front is changed under its encryption, which is then made anew.</summary>
    [Fact]
    public async Task Index_segments()
    {
        var store = new InMemoryObjectStore();
        await using var repository = await TestRepository.CreateAsync(store);
        var builder = new IndexSegmentBuilder();
        var pack = new PackInfo(new byte[32], new byte[32], PackKind.Data, 1, PackFormat.TargetSize);
        var block = builder.AddBlock(pack, PackFormat.HeaderSize, 200_000, 300_000);
        for (var i = 0; i < 3; i++) builder.Add(new IndexEntry(ChunkId.Read(RandomNumberGenerator.GetBytes(24)), block, i * 10, 10));
        var (name, segment) = builder.Build(repository.Keys);
        var length = BinaryPrimitives.ReadInt32LittleEndian(segment.AsSpan(44));
        using var cipher = new IndexCipher(repository.Keys, segment.AsSpan(0, IndexFormat.HeaderSize));
        var plain = new byte[length - IndexFormat.TagSize];
        cipher.Open(IndexPart.Front, 0, segment.AsSpan(IndexFormat.HeaderSize, length), plain);
        foreach (var bytes in Mutations(plain).Where(b => b.Length == plain.Length))
        {
            cipher.Seal(IndexPart.Front, 0, bytes, segment.AsSpan(IndexFormat.HeaderSize, length));
            store.Overwrite(name, segment);
            await OpenAsync();
        }

        for (var i = 0; i < IndexFormat.HeaderSize; i++)
        {
            store.Overwrite(name, segment);
            store.Flip(name, i, 0xFF);
            await OpenAsync();
        }

        async Task OpenAsync()
        {
            try
            {
                var info = (await store.FindAsync(name, CancellationToken.None))!;
                using var opened = await IndexSegment.OpenAsync(store, repository.Keys, new IndexPageCache(0), info, CancellationToken.None);
                await opened.FindAsync(default, new HashSet<string>(), CancellationToken.None);
                for (var page = 0; page < opened.PageCount; page++) await opened.ReadPageAsync(page, CancellationToken.None);
            }
            catch (DamageException)
            {
            }
        }
    }

    private static ContentRef? Content(string json) => JsonSerializer.Deserialize(json, SnapshotJson.Default.ContentRef);

    private static CatalogEntry Entry(byte[] path, int number) => new()
    {
        Path = path,
        Kind = number % 2 == 0 ? EntryKind.File : EntryKind.SymbolicLink,
        Content = number % 2 == 0 ? new ContentRef(30, 0, [new ContentItem(ChunkId.Read(RandomNumberGenerator.GetBytes(24)), 20), ContentItem.Hole(10)]) : null,
        LinkTarget = number % 2 == 1 ? "target"u8.ToArray() : default,
        ExtendedAttributes = number == 3 ? [new ExtendedAttribute("user.x"u8.ToArray(), new byte[20])] : [],
        ModifiedNanoseconds = -1,
        Inode = ulong.MaxValue,
    };

    private static IEnumerable<byte[]> Mutations(byte[] good)
    {
        var random = new Random(7);
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = i % 10 == 0 ? new byte[random.Next(200)] : (byte[])good.Clone();
            if (i % 10 == 0) random.NextBytes(bytes);
            else
                for (var n = random.Next(1, 6); n > 0; n--)
                    bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0xFF, 1 => 0, _ => (byte)random.Next(256) };
            yield return i % 7 == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;
        }
    }

    private static void Try(Action decode)
    {
        try
        {
            decode();
        }
        catch (Exception e) when (e is InvalidDataException or DamageException or JsonException or NewerFormatException)
        {
        }
    }
}
