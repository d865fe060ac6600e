using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>
/// One immutable, sorted part of the index. Its tables and its filter are in memory; its pages of entries are read when needed and kept in
/// a cache that all segments share (FORMAT.md §6). Safe for concurrent use.
/// </summary>
internal sealed class IndexSegment : IDisposable
{
    private readonly IObjectStore _store;
    private readonly IndexPageCache _cache;
    private readonly IndexCipher _cipher;
    private readonly ChunkFilter _filter;
    private readonly ulong[] _fences;
    private readonly int _frontStored;

    private IndexSegment(
        IObjectStore store, IndexPageCache cache, IndexCipher cipher, string name, int frontStored, int entryCount, Front front)
    {
        _store = store;
        _cache = cache;
        _cipher = cipher;
        _frontStored = frontStored;
        Name = name;
        EntryCount = entryCount;
        Packs = front.Packs;
        Blocks = front.Blocks;
        Supersedes = front.Supersedes;
        _filter = front.Filter;
        _fences = front.Fences;
    }

    public string Name { get; }

    public int EntryCount { get; }

    public PackInfo[] Packs { get; }

    public IndexBlock[] Blocks { get; }

    public IReadOnlyList<string> Supersedes { get; }

    public int PageCount => _fences.Length;

    /// <summary>Reads header, tables and filter.</summary>
    /// <exception cref="DamageException">The segment is not whole.</exception>
    public static async ValueTask<IndexSegment> OpenAsync(
        IObjectStore store, RepositoryKeys keys, IndexPageCache cache, ObjectInfo segment, CancellationToken cancellationToken)
    {
        var name = segment.Name;
        var header = new byte[IndexFormat.HeaderSize];
        if (await ReadAsync(store, name, 0, header, cancellationToken).ConfigureAwait(false) != header.Length
            || !header.AsSpan(0, 4).SequenceEqual(IndexFormat.Magic))
            throw Damaged(name, "it is not an index segment");
        if (header[4] != IndexFormat.Version)
        {
            // The header is not authenticated yet: a spoilt byte must not keep repair from opening the repository.
            throw await IndexCheck.FindDamageAsync(store, name, cancellationToken).ConfigureAwait(false) is { } damage
                ? Damaged(name, "its version was changed", damage)
                : new NewerFormatException($"{name} has index version {header[4]}; use a newer fbackup.");
        }

        var frontStored = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(44));
        var pages = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(48));
        var entries = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(52));
        if (entries < 0 || pages != (entries + (long)IndexFormat.EntriesPerPage - 1) / IndexFormat.EntriesPerPage
            || frontStored < IndexFormat.TagSize
            || segment.Size != IndexFormat.HeaderSize + (long)frontStored + ((long)entries * IndexFormat.EntrySize)
                + ((long)pages * IndexFormat.TagSize) + IndexFormat.HashSize
            || !name.AsSpan(IndexFormat.Prefix.Length).SequenceEqual(Convert.ToHexStringLower(header.AsSpan(12, IndexFormat.SaltSize))))
            throw Damaged(name, "its sizes do not fit");

        var epoch = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8));
        await keys.MeetEpochAsync(store, epoch, cancellationToken).ConfigureAwait(false);
        if (!keys.HasEpoch(epoch)) throw Damaged(name, "the key of its epoch is not there");
        var front = new byte[frontStored];
        if (await ReadAsync(store, name, IndexFormat.HeaderSize, front, cancellationToken).ConfigureAwait(false) != frontStored)
            throw Damaged(name, "it ends too early");
        IndexCipher? cipher = null;
        try
        {
            cipher = new IndexCipher(keys, header);
            var plain = new byte[frontStored - IndexFormat.TagSize];
            cipher.Open(IndexPart.Front, 0, front, plain);
            var opened = new IndexSegment(store, cache, cipher, name, frontStored, entries, DecodeFront(plain, pages));
            // A write-only writer says where its chunks are, and nothing of others'.
            if (!EpochKinds.IsRepository(epoch) && (opened.Supersedes.Count > 0 || opened.Packs.Any(p => p.Epoch != epoch)))
                throw new InvalidDataException("A write-only writer made it, and it names what others have.");
            return opened;
        }
        catch (Exception e) when (e is CryptographicException or InvalidDataException)
        {
            cipher?.Dispose();
            throw Damaged(name, "its front cannot be read", e);
        }
    }

    /// <summary>Where the chunk lies, if this segment has it: a pack that is not among <paramref name="avoided"/> if there is one.</summary>
    /// <exception cref="DamageException">A page is not what was written.</exception>
    public async ValueTask<IndexEntry?> FindAsync(ChunkId id, IReadOnlySet<string> avoided, CancellationToken cancellationToken)
    {
        if (_fences.Length == 0 || !_filter.MayContain(id)) return null;
        IndexEntry? second = null;
        for (var page = FirstPage(id); page < _fences.Length && _fences[page] <= id.Prefix; page++)
        {
            var entries = await ReadPageAsync(page, cancellationToken).ConfigureAwait(false);
            for (var at = LowerBound(entries, id) * IndexFormat.EntrySize; at < entries.Length && ChunkId.Read(entries.AsSpan(at)) == id;
                at += IndexFormat.EntrySize)
            {
                var entry = IndexEntry.Read(entries.AsSpan(at));
                if (avoided.Count == 0 || !avoided.Contains(Packs[Blocks[entry.Block].Pack].Name)) return entry;
                second = entry;
            }
        }

        return second;
    }

    /// <summary>Adds all places of a chunk that this segment has: merges and repairs keep every pack in which it lies.</summary>
    /// <exception cref="DamageException">A page is not what was written.</exception>
    public async ValueTask FindAllAsync(ChunkId id, List<IndexEntry> found, CancellationToken cancellationToken)
    {
        if (_fences.Length == 0 || !_filter.MayContain(id)) return;
        for (var page = FirstPage(id); page < _fences.Length && _fences[page] <= id.Prefix; page++)
        {
            var entries = await ReadPageAsync(page, cancellationToken).ConfigureAwait(false);
            for (var at = LowerBound(entries, id) * IndexFormat.EntrySize; at < entries.Length && ChunkId.Read(entries.AsSpan(at)) == id;
                at += IndexFormat.EntrySize)
                found.Add(IndexEntry.Read(entries.AsSpan(at)));
        }
    }

    /// <summary>The decrypted entries of a page, from the cache if they are there.</summary>
    /// <exception cref="DamageException">The page is not what was written.</exception>
    public async ValueTask<byte[]> ReadPageAsync(int page, CancellationToken cancellationToken)
    {
        if (_cache.TryGet(this, page, out var cached)) return cached;
        return await Copies.ReadAsync(_store, Name, () => ReadPageOnceAsync(page, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<byte[]> ReadPageOnceAsync(int page, CancellationToken cancellationToken)
    {
        var stored = new byte[IndexFormat.PageStored(EntryCount, page)];
        var read = await ReadAsync(_store, Name, IndexFormat.PageOffset(_frontStored, page), stored, cancellationToken).ConfigureAwait(false);
        if (read != stored.Length) throw Damaged(Name, "it ends too early");
        var plain = new byte[stored.Length - IndexFormat.TagSize];
        try
        {
            _cipher.Open(IndexPart.Page, page, stored, plain);
        }
        catch (CryptographicException e)
        {
            throw Damaged(Name, $"page {page} cannot be read", e);
        }

        for (var at = 0; at < plain.Length; at += IndexFormat.EntrySize)
        {
            var entry = IndexEntry.Read(plain.AsSpan(at));
            if ((uint)entry.Block >= (uint)Blocks.Length || entry.Offset < 0 || entry.Length <= 0
                || (long)entry.Offset + entry.Length > Blocks[entry.Block].PlainLength)
                throw Damaged(Name, $"page {page} has an entry that points nowhere");
        }

        _cache.Add(this, page, plain);
        return plain;
    }

    public void Dispose() => _cipher.Dispose();

    /// <summary>Equal prefixes may straddle pages: begin with the last page that starts below the prefix.</summary>
    private int FirstPage(ChunkId id) => Math.Max(0, LowerBound(_fences, id.Prefix) - 1);

    /// <summary>Number of the first entry that is not below <paramref name="id"/>.</summary>
    private static int LowerBound(ReadOnlySpan<byte> entries, ChunkId id)
    {
        int low = 0, high = entries.Length / IndexFormat.EntrySize;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ChunkId.Read(entries[(middle * IndexFormat.EntrySize)..]).CompareTo(id) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static int LowerBound(ulong[] fences, ulong prefix)
    {
        int low = 0, high = fences.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (fences[middle] < prefix) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static async ValueTask<int> ReadAsync(
        IObjectStore store, string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectNotFoundException e)
        {
            throw Damaged(name, "it is missing", e);
        }
    }

    private static Front DecodeFront(byte[] bytes, int pages)
    {
        var at = 0;
        var packs = new PackInfo[Count(IndexFormat.PackRecord)];
        for (var i = 0; i < packs.Length; i++, at += IndexFormat.PackRecord)
        {
            var record = bytes.AsSpan(at, IndexFormat.PackRecord);
            if (record[64] is not (1 or 2)
                || BinaryPrimitives.ReadInt32LittleEndian(record[69..]) is < PackFormat.HeaderSize or > PackFormat.MaximumSize)
                throw new InvalidDataException("An impossible pack.");
            packs[i] = new PackInfo(
                record[..32].ToArray(), record.Slice(32, 32).ToArray(), (PackKind)record[64],
                BinaryPrimitives.ReadUInt32LittleEndian(record[65..]), BinaryPrimitives.ReadInt32LittleEndian(record[69..]));
        }

        var blocks = new IndexBlock[Count(IndexFormat.BlockRecord)];
        for (var i = 0; i < blocks.Length; i++, at += IndexFormat.BlockRecord)
        {
            var record = bytes.AsSpan(at, IndexFormat.BlockRecord);
            var block = new IndexBlock(
                BinaryPrimitives.ReadInt32LittleEndian(record), BinaryPrimitives.ReadUInt32LittleEndian(record[4..]),
                BinaryPrimitives.ReadInt32LittleEndian(record[8..]), BinaryPrimitives.ReadInt32LittleEndian(record[12..]));
            if ((uint)block.Pack >= (uint)packs.Length || block.StoredLength <= PackFormat.TagSize + PackFormat.BlockHeaderSize
                || block.Offset + (long)block.StoredLength > packs[block.Pack].Size
                || block.PlainLength is <= 0 or > PackFormat.MaximumBlock)
                throw new InvalidDataException("A block points nowhere.");
            blocks[i] = block;
        }

        var supersedes = new string[Count(IndexFormat.SaltSize)];
        for (var i = 0; i < supersedes.Length; i++, at += IndexFormat.SaltSize)
            supersedes[i] = IndexFormat.NameOf(bytes.AsSpan(at, IndexFormat.SaltSize));

        var filterSize = Count(1);
        if (!ChunkFilter.IsSize(filterSize)) throw new InvalidDataException("The filter has no legal size.");
        var filter = new ChunkFilter(bytes.AsMemory(at, filterSize));
        at += filterSize;
        if (bytes.Length - at != pages * 8L) throw new InvalidDataException("The fences do not fit.");
        var fences = new ulong[pages];
        for (var i = 0; i < pages; i++, at += 8) fences[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
        return new Front(packs, blocks, supersedes, filter, fences);

        int Count(int recordSize)
        {
            if (bytes.Length - at < 4) throw new InvalidDataException("The front ends too early.");
            var count = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            at += 4;
            return count >= 0 && count <= (bytes.Length - at) / recordSize ? count : throw new InvalidDataException("A count does not fit.");
        }
    }

    private static DamageException Damaged(string name, string why, Exception? inner = null) =>
        new(name, $"{name} is damaged: {why}; run 'fbackup repository repair' to rebuild the index from the packs.", inner);

    private sealed record Front(PackInfo[] Packs, IndexBlock[] Blocks, string[] Supersedes, ChunkFilter Filter, ulong[] Fences);
}
