using System.Text;
using FunctionsBackup.Components.Files.Buckets;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Tests.Components.Files.Buckets;

/// <summary>Keys of buckets in the order of a catalog.</summary>
public sealed class BucketSorterTests
{
    private static readonly byte[] Root = "voice"u8.ToArray();

    [Theory]
    [InlineData(100_000)]
    [InlineData(7)]
    [InlineData(1)]
    public void Whatever_the_service_s_order_and_however_little_fits_the_order_is_the_catalog_s_and_nothing_is_lost(int inMemory)
    {
        var random = new Random(5);
        var keys = Enumerable.Range(0, 300).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => "ab!-./0é😀"[random.Next(9)])))
            .Where(k => k.IsNormalized() && !k.Any(char.IsSurrogate)).Distinct().OrderBy(k => k, StringComparer.Ordinal).ToList();
        using var sorter = new BucketSorter(inMemory);
        var added = 0;
        foreach (var key in keys)
        {
            if (BucketKey.PathOf(Root, key) is not { } path) continue;
            sorter.Add(new SortedItem(path, new BucketItem(key, added, DateTimeOffset.UnixEpoch.AddSeconds(added), $"\"{added}\"")));
            added++;
        }

        added.ShouldBeGreaterThan(50);
        var read = sorter.Read().ToList();
        read.Count.ShouldBe(added);
        for (var i = 1; i < read.Count; i++) CatalogOrder.Compare(read[i - 1].Path, read[i].Path).ShouldBeLessThan(0);
        foreach (var (path, item) in read)
        {
            path.ShouldBe(BucketKey.PathOf(Root, item.Key));
            item.Tag.ShouldBe($"\"{item.Size}\"");
            item.LastModified.ShouldBe(DateTimeOffset.UnixEpoch.AddSeconds(item.Size));
        }
    }

    [Fact]
    public void What_is_listed_twice_is_there_once()
    {
        using var sorter = new BucketSorter(2);
        for (var i = 0; i < 5; i++) sorter.Add(new SortedItem(BucketKey.PathOf(Root, "same")!, new BucketItem("same", i, DateTimeOffset.UnixEpoch, "x")));
        sorter.Read().ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("a/b", true)]
    [InlineData("", false)]
    [InlineData("/a", false)]
    [InlineData("a//b", false)]
    [InlineData("a/", false)]
    [InlineData("a/../b", false)]
    [InlineData("./a", false)]
    [InlineData("a\0b", false)]
    [InlineData("\U0010FFFFx", false)]
    [InlineData("\U0010FFFEx", true)]
    public void Keys_that_are_no_paths_get_one_by_their_hash_behind_all_others(string key, bool isPath)
    {
        (BucketKey.PathOf(Root, key) is not null).ShouldBe(isPath);
        var hashed = BucketKey.HashedPathOf(Root, key);
        CatalogPath.IsValid(hashed).ShouldBeTrue();
        BucketKey.IsHashed(hashed.AsSpan(Root.Length + 1)).ShouldBeTrue();
        if (isPath) CatalogOrder.Compare(BucketKey.PathOf(Root, key), hashed).ShouldBeLessThan(0);
        BucketKey.IsHashed(Encoding.UTF8.GetBytes(key)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1")]
    [InlineData("{\"tag\":null,\"properties\":{}}")]
    [InlineData("{\"tag\":\"x\",\"properties\":null}")]
    [InlineData("{\"tag\":\"x\",\"properties\":{\"metadata\":7}}")]
    public void What_stands_beside_an_entry_may_be_anything(string extra)
    {
        var entry = new CatalogEntry { Path = "voice/a"u8.ToArray(), Kind = EntryKind.File, Extra = Encoding.UTF8.GetBytes(extra) };
        BucketFacts.Of(entry).ShouldBeNull();
        var good = new BucketFacts { Tag = "\"1\"", Properties = new BucketProperties { ContentType = "audio/ogg" } };
        BucketFacts.Of(entry with { Extra = good.ToBytes() })!.Properties.ContentType.ShouldBe("audio/ogg");
    }
}
