using System.Text;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>An object with its path in the catalog.</summary>
internal sealed record SortedItem(byte[] Path, BucketItem Item);

/// <summary>
/// Brings objects into the order of a catalog, in bounded memory: services list by the bytes of whole keys, in which <c>a-b</c> comes before <c>a/b</c>, and a
/// catalog the other way round. What does not fit goes to files that nobody else can read and that vanish with the process. Not for concurrent use.
/// </summary>
internal sealed class BucketSorter(int inMemory = 100_000) : IDisposable
{
    private readonly List<FileStream> _runs = [];
    private List<SortedItem> _items = [];

    public void Add(SortedItem item)
    {
        _items.Add(item);
        if (_items.Count >= inMemory) Spill();
    }

    /// <summary>All that were added, in order, each path once: a listing that is made again may name an object twice. To be called once.</summary>
    public IEnumerable<SortedItem> Read()
    {
        _items.Sort(Compare);
        var cursors = new PriorityQueue<IEnumerator<SortedItem>, byte[]>(Comparer<byte[]>.Create((a, b) => CatalogOrder.Compare(a, b)));
        foreach (var run in _runs.Select(Read).Append(_items))
        {
            var cursor = run.GetEnumerator();
            if (cursor.MoveNext()) cursors.Enqueue(cursor, cursor.Current.Path);
        }

        byte[]? last = null;
        while (cursors.TryDequeue(out var cursor, out var path))
        {
            if (last is null || !path.AsSpan().SequenceEqual(last)) yield return cursor.Current;
            last = path;
            if (cursor.MoveNext()) cursors.Enqueue(cursor, cursor.Current.Path);
        }
    }

    public void Dispose()
    {
        foreach (var run in _runs) run.Dispose();
    }

    private void Spill()
    {
        _items.Sort(Compare);
        var file = new FileStream(
            Path.Combine(Path.GetTempPath(), $"fbackup-listing-{Guid.NewGuid():N}"),
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = FileOptions.DeleteOnClose | FileOptions.SequentialScan,
                BufferSize = 1 << 16, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        _runs.Add(file);
        using var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true);
        foreach (var (path, item) in _items)
        {
            writer.Write7BitEncodedInt(path.Length);
            writer.Write(path);
            writer.Write(item.Key);
            writer.Write(item.Size);
            writer.Write(item.LastModified.UtcTicks);
            writer.Write(item.Tag);
        }

        _items = [];
    }

    private static IEnumerable<SortedItem> Read(FileStream run)
    {
        run.Position = 0;
        using var reader = new BinaryReader(run, Encoding.UTF8, leaveOpen: true);
        while (run.Position < run.Length)
        {
            var path = reader.ReadBytes(reader.Read7BitEncodedInt());
            yield return new SortedItem(
                path, new BucketItem(reader.ReadString(), reader.ReadInt64(), new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), reader.ReadString()));
        }
    }

    private static int Compare(SortedItem a, SortedItem b) => CatalogOrder.Compare(a.Path, b.Path);
}
