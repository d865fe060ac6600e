using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Tests.Repository.Golden;

/// <summary>
/// Restores a file of a golden repository by FORMAT.md alone, with the framework's primitives (and scrypt and zstd, which the framework
/// lacks): snapshot record, index, packs, catalog, lists.
/// </summary>
public sealed class FormatByHandTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetDirectoryName(Here())!, "v1-0.1", "repository");
    private readonly BlockDecompressor _zstd = new();
    private readonly byte[] _data;
    private readonly byte[] _idKey;
    private readonly string _id;

    public FormatByHandTests()
    {
        var config = JsonNode.Parse(Read("config"))!;
        (_id, var generation) = ((string)config["repositoryId"]!, (string)config["keys"]!);
        var slots = Directory.GetFiles(Path.Combine(_root, "keys", generation, "slots"));
        var master = slots.Select(f => Master(generation, Path.GetFileName(f))).First(m => m is not null)!;
        var wrapping = Hkdf(master, "FunctionsBackup key record 1");
        _idKey = Hkdf(Record(wrapping, $"keys/{generation}/secrets", "secrets"), "FunctionsBackup chunk id 1");
        _data = Record(wrapping, $"keys/{generation}/epochs/000001", "epoch");
    }

    [Theory]
    [InlineData("b/random")]
    [InlineData("b/text")]
    [InlineData("a/empty")]
    [InlineData("a/small")]
    public void The_page_is_enough_to_restore_a_file(string path)
    {
        var lines = File.ReadAllLines(Path.Combine(_root, "..", "expected.txt")).Select(l => l.Split(' ')).Where(l => l[1] == path).ToList();
        lines.Count.ShouldBe(2);
        foreach (var line in lines)
        {
            // §7: the record, the catalog, the entry.
            var catalog = JsonNode.Parse(Sealed($"snapshots/{line[0]}", 1))!["catalog"]!;
            var leaves = Content((int)catalog["depth"]!, Convert.FromBase64String((string)catalog["items"]!));
            leaves.Length.ShouldBe((int)catalog["size"]!);
            Convert.ToHexStringLower(SHA256.HashData(Restore(leaves, path))).ShouldBe(line[2]);
        }
    }

    public void Dispose() => _zstd.Dispose();

    private byte[] Restore(byte[] leaf, string wanted)
    {
        var at = 0;
        var path = "";
        while (at < leaf.Length)
        {
            path = path[..(int)Number()] + Encoding.UTF8.GetString(Bytes());
            var kind = leaf[at++];
            int parts = leaf[at++];
            for (var i = 0; i < 7; i++) Number(); // mode, user, group, modified, changed, inode, device
            if ((parts & 1) != 0) Bytes();
            if ((parts & 2) != 0) Bytes();
            if ((parts & 8) != 0) Number();
            if ((parts & 16) != 0) Bytes();
            if ((parts & 4) != 0)
                for (var n = Number(); n > 0; n--) _ = (Bytes(), Bytes());
            if ((parts & 32) == 0) continue;
            kind.ShouldBe((byte)1);
            var (size, depth, items) = (Number(), Number(), (int)Number() * 32);
            at += items;
            if (path != wanted) continue;
            var content = Content((int)depth, leaf[(at - items)..at]);
            content.Length.ShouldBe((int)size);
            return content;
        }

        throw new InvalidDataException(wanted);

        ulong Number()
        {
            var value = 0UL;
            for (var shift = 0; ; shift += 7)
            {
                value |= (ulong)(leaf[at] & 127) << shift;
                if (leaf[at++] < 128) return value;
            }
        }

        byte[] Bytes()
        {
            var length = (int)Number();
            at += length;
            return leaf[(at - length)..at];
        }
    }

    /// <summary>§7: a content is a list of items, or a list of lists.</summary>
    private byte[] Content(int depth, byte[] items)
    {
        var bytes = new MemoryStream();
        foreach (var item in items.Chunk(32))
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(item.AsSpan(24));
            var chunk = item.AsSpan(0, 24).ContainsAnyExcept((byte)0) ? Chunk(item[..24], length) : new byte[length];
            bytes.Write(depth == 0 ? chunk : Content(depth - 1, chunk));
        }

        return bytes.ToArray();
    }

    /// <summary>§6: found by reading all pages of all segments.</summary>
    private byte[] Chunk(byte[] id, int length)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(_root, "index")))
        {
            var segment = File.ReadAllBytes(file);
            segment.AsSpan(0, 8).ToArray().ShouldBe([.. "FBIX"u8, 1, 0, 0, 0]);
            Path.GetFileName(file).ShouldBe(Convert.ToHexStringLower(segment.AsSpan(12, 32)));
            SHA256.HashData(segment.AsSpan(..^32)).ShouldBe(segment[^32..]);
            var (f, pages, entries) = (U32(segment, 44), U32(segment, 48), U32(segment, 52));
            var key = Hkdf(_data, "FunctionsBackup pack 1", segment[12..44]);
            byte[] associated = [.. segment[..64], .. Convert.FromHexString(_id)];
            var front = Open(key, 1, 0, segment[64..(64 + f)], associated);
            var at = 64 + f;
            for (var page = 0; page < pages; page++)
            {
                var count = Math.Min(1024, entries - (page * 1024));
                var plain = Open(key, 2, page, segment[at..(at + (count * 36) + 16)], associated);
                at += (count * 36) + 16;
                foreach (var entry in plain.Chunk(36))
                    if (entry.AsSpan(0, 24).SequenceEqual(id)) return Chunk(id, length, front, entry);
            }

            at.ShouldBe(segment.Length - 32);
        }

        throw new InvalidDataException("no such chunk");
    }

    /// <summary>§5: out of its block.</summary>
    private byte[] Chunk(byte[] id, int length, byte[] front, byte[] entry)
    {
        var packs = U32(front, 0);
        var blocks = 4 + (packs * 73) + 4;
        var block = blocks + (U32(entry, 24) * 16);
        var record = 4 + (U32(front, block) * 73);
        var hex = Convert.ToHexStringLower(front.AsSpan(record, 32));
        var pack = Read($"packs/{hex[..2]}/{hex}");
        Convert.ToHexStringLower(SHA256.HashData(pack)).ShouldBe(hex);
        pack.Length.ShouldBe(U32(front, record + 69));
        pack.AsSpan(0, 6).ToArray().ShouldBe([.. "FBPK"u8, 1, front[record + 64]]);
        pack[12..44].ShouldBe(front[(record + 32)..(record + 64)]);
        var key = Hkdf(_data, "FunctionsBackup pack 1", pack[12..44]);
        byte[] associated = [.. "FBPK"u8, pack[4], pack[5], .. Convert.FromHexString(_id)];
        var (offset, stored, plainLength) = (U32(front, block + 4), U32(front, block + 8), U32(front, block + 12));

        // The directory says the same of the block as the index.
        pack[^4..].ShouldBe("FBPE"u8.ToArray());
        var d = U32(pack, pack.Length - 16);
        U32(pack, pack.Length - 12).ShouldBe(d - 16);
        var directory = Open(key, 2, pack.Length - 16 - d, pack[^(16 + d)..^16], associated);
        var at = 4;
        for (var n = U32(directory, 0); n > 0 && U32(directory, at) != offset; n--) at += 16 + (U32(directory, at + 12) * 28);
        (U32(directory, at), U32(directory, at + 4), U32(directory, at + 8)).ShouldBe((offset, stored, plainLength));

        var body = Open(key, 1, offset, pack[offset..(offset + stored)], associated);
        U32(body, 1).ShouldBe(plainLength);
        var plain = new byte[plainLength];
        _zstd.Decompress((CompressionAlgorithm)body[0], body.AsSpan(5), plain);
        U32(entry, 32).ShouldBe(length);
        var chunk = plain.AsSpan(U32(entry, 28), length).ToArray();
        HMACSHA256.HashData(_idKey, chunk)[..24].ShouldBe(id);
        return chunk;
    }

    /// <summary>§2, for objects without a header.</summary>
    private byte[] Sealed(string name, byte kind)
    {
        var file = Read(name);
        file.AsSpan(0, 6).ToArray().ShouldBe([.. "FBSO"u8, 1, kind]);
        var (h, length) = (U32(file, 44), U32(file, 48));
        using var aes = new AesGcm(Hkdf(_data, "FunctionsBackup sealed object 1", file[12..44]), 16);
        var prefix = U32(file, 80 + h);
        var n = prefix & int.MaxValue;
        byte[] associated = [.. Fields("sealed object", _id, name), .. Field(file.AsSpan(0, 64)), 1, 0, 0, 0, 1, .. BitConverter.GetBytes(prefix)];
        var (frame, body) = (new byte[n], new byte[length]);
        aes.Decrypt([1, .. new byte[11]], file.AsSpan(84 + h, n), file.AsSpan(84 + h + n, 16), frame, associated);
        _zstd.Decompress(prefix < 0 ? (CompressionAlgorithm)file[6] : CompressionAlgorithm.None, frame, body);
        return body;
    }

    private byte[]? Master(string generation, string slot)
    {
        var name = $"keys/{generation}/slots/{slot}";
        var json = JsonNode.Parse(Read(name))!;
        if ((string)json["kind"]! != "passphrase" || (string)json["label"]! != "golden") return null;
        var wrapping = new byte[32];
        var cost = json["scrypt"]!;
        Scrypt.DeriveKey(
            "golden repository"u8, Convert.FromBase64String((string)json["salt"]!), new((int)cost["N"]!, (int)cost["r"]!, (int)cost["p"]!), wrapping);
        return Unbox(wrapping, json, Fields("key slot", _id, name, "passphrase", (string)json["label"]!, (string)json["created"]!));
    }

    private byte[] Record(byte[] key, string name, string kind)
    {
        var json = JsonNode.Parse(Read(name))!;
        return Unbox(key, json, Fields("key record", _id, name, kind, (string)json["created"]!));
    }

    private static byte[] Unbox(byte[] key, JsonNode json, byte[] associated)
    {
        var box = Convert.FromBase64String((string)json["key"]!);
        using var aes = new AesGcm(key, 16);
        var plain = new byte[32];
        aes.Decrypt(box.AsSpan(0, 12), box.AsSpan(12, 32), box.AsSpan(44), plain, associated);
        return plain;
    }

    private static byte[] Open(byte[] key, byte part, int number, byte[] stored, byte[] associated)
    {
        byte[] nonce = [part, .. new byte[11]];
        BinaryPrimitives.WriteInt32BigEndian(nonce.AsSpan(8), number);
        using var aes = new AesGcm(key, 16);
        var plain = new byte[stored.Length - 16];
        aes.Decrypt(nonce, stored.AsSpan(..^16), stored.AsSpan(^16..), plain, associated);
        return plain;
    }

    private static int U32(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

    private static byte[] Hkdf(byte[] key, string purpose, byte[]? salt = null) =>
        HKDF.Expand(HashAlgorithmName.SHA256, key, 32, [.. Encoding.ASCII.GetBytes(purpose), 0, .. salt ?? []]);

    private static byte[] Fields(string what, params ReadOnlySpan<string> more)
    {
        List<byte> bytes = [.. Field("FunctionsBackup"u8), .. Field(Encoding.UTF8.GetBytes(what)), .. Field([1, 0, 0, 0])];
        foreach (var text in more) bytes.AddRange(Field(Encoding.UTF8.GetBytes(text)));
        return [.. bytes];
    }

    private static byte[] Field(ReadOnlySpan<byte> bytes) => [(byte)bytes.Length, (byte)(bytes.Length >> 8), .. bytes];

    private byte[] Read(string name) => File.ReadAllBytes(Path.Combine(_root, name));

    private static string Here([CallerFilePath] string here = "") => here;
}
