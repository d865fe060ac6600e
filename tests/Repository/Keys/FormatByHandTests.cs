using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Keys;

/// <summary>
/// Reads a repository's keys and a sealed object by FORMAT.md §1–§4 alone, with the framework's primitives (and scrypt and zstd, which
/// the framework lacks): if this fails, either the page or the program has moved, and old repositories with it.
/// </summary>
public sealed class FormatByHandTests
{
    [Fact]
    public async Task The_page_is_enough_to_read_a_repository()
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        using var unlocked = await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default);
        var header = SampleData.Random(50);
        var body = (byte[])[.. SampleData.Text(1_500_000), .. SampleData.Random(1_500_000)];
        var objects = new SealedObjects(store, unlocked.Keys, unlocked.Config.RepositoryId);
        await objects.CreateAsync(SealedKind.WalSegment, "wal/x", header, body, default);

        // §3.2, §3.3
        var config = Json(store, "config");
        var (id, generation) = (Text(config, "repositoryId"), Text(config, "keys"));
        var slotName = store.Names.Single(n => n.Contains("/slots/") && Text(Json(store, n), "kind") == "passphrase");
        var slot = Json(store, slotName);
        var wrapping = new byte[32];
        var cost = slot["scrypt"]!;
        Scrypt.DeriveKey("correct horse"u8, Bytes(slot, "salt"), new((int)cost["N"]!, (int)cost["r"]!, (int)cost["p"]!), wrapping);
        var master = Unbox(
            wrapping, Bytes(slot, "key"), Fields("key slot", id, slotName, Text(slot, "kind"), Text(slot, "label"), Text(slot, "created")));

        // §3.4
        var recordKey = Hkdf(master, "FunctionsBackup key record 1");
        var secret = Record(store, recordKey, id, $"keys/{generation}/secrets", "secrets");
        var data = Record(store, recordKey, id, $"keys/{generation}/epochs/000001", "epoch");

        // §3.1, §3.2
        var chunkId = HMACSHA256.HashData(Hkdf(secret, "FunctionsBackup chunk id 1"), body)[..24];
        using var hasher = new ChunkIdHasher(unlocked.Keys.IdKey);
        hasher.Compute(body).ToString().ShouldBe(Convert.ToHexStringLower(chunkId));
        var sizes = config["chunker"]!;
        byte[] signed =
        [
            .. Fields("config", id, "config", Text(config, "createdAt"), generation),
            .. Field((int)sizes["minimum"]!), .. Field((int)sizes["average"]!), .. Field((int)sizes["maximum"]!),
        ];
        Bytes(config, "mac").ShouldBe(HMACSHA256.HashData(Hkdf(secret, "FunctionsBackup config 1"), signed));

        // §4.1
        var chunkerSecret = Hkdf(secret, "FunctionsBackup chunker 1");
        using var table = new GearTable(unlocked.Keys.ChunkerSecret);
        var cut = new FastCdc(table, unlocked.Config.Chunker).FindBoundary(body.AsSpan(1_000_000));
        cut.ShouldBe(Cut(chunkerSecret, body.AsSpan(1_000_000)));

        // §2
        var (readHeader, readBody) = Open(store.Get("wal/x"), data, id, "wal/x");
        readHeader.ShouldBe(header);
        readBody.AsSpan().SequenceEqual(body).ShouldBeTrue();
    }

    private static (byte[] Header, byte[] Body) Open(byte[] file, byte[] dataKey, string id, string name)
    {
        file.AsSpan(0, 8).ToArray().ShouldBe([.. "FBSO"u8, 1, 7, 1, 0]);
        var h = (int)BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(44));
        var bodyLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(48));
        var s = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(56));
        file.Length.ShouldBe(80 + h + s + 32);
        SHA256.HashData(file.AsSpan(..^32)).ShouldBe(file[^32..]);
        using var aes = new AesGcm(Hkdf(dataKey, "FunctionsBackup sealed object 1", file[12..44]), 16);
        byte[] common = [.. Fields("sealed object", id, name), .. Field(file.AsSpan(0, 64))];
        var header = Message(aes, common, file.AsSpan(64, h + 16), 0, bodyLength == 0, (uint)h);
        var body = new MemoryStream();
        using var zstd = new BlockDecompressor();
        var frames = file.AsSpan(80 + h, s);
        for (uint number = 1; !frames.IsEmpty; number++)
        {
            var prefix = BinaryPrimitives.ReadUInt32LittleEndian(frames);
            var n = (int)(prefix & int.MaxValue);
            var frame = Message(aes, common, frames.Slice(4, n + 16), number, frames.Length == n + 20, prefix);
            var plain = new byte[Math.Min(1 << 20, bodyLength - (int)body.Length)];
            zstd.Decompress(prefix >> 31 == 1 ? CompressionAlgorithm.Zstd : CompressionAlgorithm.None, frame, plain);
            body.Write(plain);
            frames = frames[(n + 20)..];
        }

        return (header, body.ToArray());
    }

    private static byte[] Message(AesGcm aes, byte[] common, ReadOnlySpan<byte> message, uint number, bool last, uint prefix)
    {
        var plain = new byte[message.Length - 16];
        byte[] associated = [.. common, .. BitConverter.GetBytes(number), last ? (byte)1 : (byte)0, .. BitConverter.GetBytes(prefix)];
        aes.Decrypt([.. BitConverter.GetBytes(number), .. new byte[8]], message[..^16], message[^16..], plain, associated);
        return plain;
    }

    private static int Cut(byte[] chunkerSecret, ReadOnlySpan<byte> data)
    {
        var gear = Hkdf(chunkerSecret, "FunctionsBackup gear table 1", length: 2048);
        var k = BitOperations.Log2(512 << 10);
        var h = 0UL;
        for (var length = 1; length <= Math.Min(data.Length, 2 << 20); length++)
        {
            h = 2 * h + BinaryPrimitives.ReadUInt64LittleEndian(gear.AsSpan(data[length - 1] * 8));
            var bits = length <= (512 << 10) - 3 * (32 << 10) ? k + 2 : k - 2;
            if (length >= 128 << 10 && (h & (((1UL << bits) - 1) << (63 - bits))) == 0) return length;
        }

        return Math.Min(data.Length, 2 << 20);
    }

    private static byte[] Record(InMemoryObjectStore store, byte[] key, string id, string name, string kind)
    {
        var record = Json(store, name);
        Text(record, "kind").ShouldBe(kind);
        return Unbox(key, Bytes(record, "key"), Fields("key record", id, name, kind, Text(record, "created")));
    }

    private static byte[] Unbox(byte[] key, byte[] box, byte[] associated)
    {
        using var aes = new AesGcm(key, 16);
        var plain = new byte[box.Length - 28];
        aes.Decrypt(box.AsSpan(0, 12), box.AsSpan(12..^16), box.AsSpan(^16..), plain, associated);
        return plain;
    }

    private static byte[] Hkdf(byte[] key, string purpose, byte[]? salt = null, int length = 32) =>
        HKDF.Expand(HashAlgorithmName.SHA256, key, length, [.. Encoding.ASCII.GetBytes(purpose), 0, .. salt ?? []]);

    private static byte[] Fields(string what, params ReadOnlySpan<string> more)
    {
        // The version stands between what is sealed and the repository.
        List<byte> bytes = [.. Field("FunctionsBackup"u8), .. Field(Encoding.UTF8.GetBytes(what)), .. Field(1)];
        foreach (var text in more) bytes.AddRange(Field(Encoding.UTF8.GetBytes(text)));
        return [.. bytes];
    }

    private static byte[] Field(int number) => Field(BitConverter.GetBytes(number));

    private static byte[] Field(ReadOnlySpan<byte> bytes) => [(byte)bytes.Length, (byte)(bytes.Length >> 8), .. bytes];

    private static JsonNode Json(InMemoryObjectStore store, string name) => JsonNode.Parse(store.Get(name))!;

    private static string Text(JsonNode node, string field) => (string)node[field]!;

    private static byte[] Bytes(JsonNode node, string field) => Convert.FromBase64String(Text(node, field));
}
