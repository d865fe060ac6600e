using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Packing;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>Puts one index segment together: packs, their blocks, and entries sorted by chunk id.</summary>
/// <param name="capacity">Entries to make room for, if their number is known.</param>
internal sealed class IndexSegmentBuilder(int capacity = 0)
{
    private readonly List<PackInfo> _packs = [];
    private readonly Dictionary<string, int> _packNumbers = [];
    private readonly List<IndexBlock> _blocks = [];
    private readonly List<IndexEntry> _entries = new(capacity);

    public int EntryCount => _entries.Count;

    /// <summary>Segments that this one replaces: their entries that matter are in this one.</summary>
    public List<string> Supersedes { get; } = [];

    public void Add(WrittenPack pack)
    {
        foreach (var block in pack.Blocks)
        {
            var number = AddBlock(pack.Info, block.Offset, block.StoredLength, block.PlainLength);
            var offset = 0;
            foreach (var chunk in block.Chunks)
            {
                _entries.Add(new IndexEntry(chunk.Id, number, offset, chunk.Length));
                offset += chunk.Length;
            }
        }
    }

    public int AddBlock(PackInfo pack, uint offset, int storedLength, int plainLength)
    {
        if (!_packNumbers.TryGetValue(pack.Name, out var number))
        {
            number = _packs.Count;
            _packs.Add(pack);
            _packNumbers.Add(pack.Name, number);
        }

        _blocks.Add(new IndexBlock(number, offset, storedLength, plainLength));
        return _blocks.Count - 1;
    }

    public void Add(IndexEntry entry) => _entries.Add(entry);

    /// <summary>The segment's name and bytes.</summary>
    public (string Name, byte[] Bytes) Build(RepositoryKeys keys)
    {
        _entries.Sort(static (x, y) => x.Id.CompareTo(y.Id));
        var pages = (_entries.Count + IndexFormat.EntriesPerPage - 1) / IndexFormat.EntriesPerPage;
        var front = EncodeFront(pages);
        var frontStored = front.Length + IndexFormat.TagSize;
        var size = IndexFormat.HeaderSize + frontStored + (_entries.Count * IndexFormat.EntrySize) + (pages * IndexFormat.TagSize)
            + IndexFormat.HashSize;
        var bytes = new byte[size];
        var salt = RandomNumberGenerator.GetBytes(IndexFormat.SaltSize);
        WriteHeader(bytes, keys.CurrentEpoch, salt, frontStored, pages);
        using var cipher = new IndexCipher(keys, bytes.AsSpan(0, IndexFormat.HeaderSize));
        cipher.Seal(IndexPart.Front, 0, front, bytes.AsSpan(IndexFormat.HeaderSize));

        var plain = new byte[IndexFormat.EntriesPerPage * IndexFormat.EntrySize];
        for (var page = 0; page < pages; page++)
        {
            var count = IndexFormat.PageEntries(_entries.Count, page);
            for (var i = 0; i < count; i++)
                _entries[(page * IndexFormat.EntriesPerPage) + i].Write(plain.AsSpan(i * IndexFormat.EntrySize));
            cipher.Seal(
                IndexPart.Page, page, plain.AsSpan(0, count * IndexFormat.EntrySize),
                bytes.AsSpan((int)IndexFormat.PageOffset(frontStored, page)));
        }

        SHA256.HashData(bytes.AsSpan(0, size - IndexFormat.HashSize), bytes.AsSpan(size - IndexFormat.HashSize));
        return (IndexFormat.NameOf(salt), bytes);
    }

    private void WriteHeader(Span<byte> header, uint epoch, ReadOnlySpan<byte> salt, int frontStored, int pages)
    {
        IndexFormat.Magic.CopyTo(header);
        header[4] = IndexFormat.Version;
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], epoch);
        salt.CopyTo(header[12..]);
        BinaryPrimitives.WriteInt32LittleEndian(header[44..], frontStored);
        BinaryPrimitives.WriteInt32LittleEndian(header[48..], pages);
        BinaryPrimitives.WriteInt32LittleEndian(header[52..], _entries.Count);
    }

    private byte[] EncodeFront(int pages)
    {
        var filterSize = ChunkFilter.SizeFor(_entries.Count);
        var bytes = new byte[4 + (_packs.Count * IndexFormat.PackRecord) + 4 + (_blocks.Count * IndexFormat.BlockRecord)
            + 4 + (Supersedes.Count * IndexFormat.SaltSize) + 4 + filterSize + (pages * 8)];
        var at = bytes.AsSpan();
        BinaryPrimitives.WriteInt32LittleEndian(at, _packs.Count);
        at = at[4..];
        foreach (var pack in _packs)
        {
            pack.Sha256.CopyTo(at);
            pack.Salt.CopyTo(at[32..]);
            at[64] = (byte)pack.Kind;
            BinaryPrimitives.WriteUInt32LittleEndian(at[65..], pack.Epoch);
            BinaryPrimitives.WriteInt32LittleEndian(at[69..], pack.Size);
            at = at[IndexFormat.PackRecord..];
        }

        BinaryPrimitives.WriteInt32LittleEndian(at, _blocks.Count);
        at = at[4..];
        foreach (var block in _blocks)
        {
            BinaryPrimitives.WriteInt32LittleEndian(at, block.Pack);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], block.Offset);
            BinaryPrimitives.WriteInt32LittleEndian(at[8..], block.StoredLength);
            BinaryPrimitives.WriteInt32LittleEndian(at[12..], block.PlainLength);
            at = at[IndexFormat.BlockRecord..];
        }

        BinaryPrimitives.WriteInt32LittleEndian(at, Supersedes.Count);
        at = at[4..];
        foreach (var name in Supersedes)
        {
            Convert.FromHexString(name.AsSpan(IndexFormat.Prefix.Length), at, out _, out _);
            at = at[IndexFormat.SaltSize..];
        }

        BinaryPrimitives.WriteInt32LittleEndian(at, filterSize);
        at = at[4..];
        var filter = new ChunkFilter(bytes.AsMemory(bytes.Length - at.Length, filterSize));
        foreach (var entry in _entries) filter.Add(entry.Id);
        at = at[filterSize..];
        for (var page = 0; page < pages; page++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at, _entries[page * IndexFormat.EntriesPerPage].Id.Prefix);
            at = at[8..];
        }

        return bytes;
    }
}
