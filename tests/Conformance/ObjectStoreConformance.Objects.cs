using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Conformance;

/// <summary>Single objects: create, find, read, delete.</summary>
public abstract partial class ObjectStoreConformance
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData((1 << 20) - 1)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData((4 << 20) + 4096)]
    [InlineData((5 << 20) + 1234)]
    [InlineData((20 << 20) + 17)]
    public async Task An_object_reads_back_exactly(int size)
    {
        var content = Bytes(size);
        (await Store.CreateAsync("packs/ab/exact", content, None)).ShouldBeTrue();
        (await Store.FindAsync("packs/ab/exact", None)).ShouldNotBeNull().Size.ShouldBe(size);
        (await ReadAllAsync("packs/ab/exact")).AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4095)]
    public async Task Content_may_be_any_part_of_an_array(int start)
    {
        var array = Bytes((3 << 20) + 9000);
        var content = array.AsMemory(start, (2 << 20) + 77);
        (await Store.CreateAsync("part", content, None)).ShouldBeTrue();
        (await ReadAllAsync("part")).AsSpan().SequenceEqual(content.Span).ShouldBeTrue();
    }

    [Fact]
    public async Task A_second_create_of_the_same_name_changes_nothing()
    {
        var first = Bytes(2 << 20, seed: 1);
        (await Store.CreateAsync("once", first, None)).ShouldBeTrue();
        (await Store.CreateAsync("once", Bytes(3 << 20, seed: 2), None)).ShouldBeFalse();
        (await Store.CreateAsync("once", ReadOnlyMemory<byte>.Empty, None)).ShouldBeFalse();
        (await ReadAllAsync("once")).AsSpan().SequenceEqual(first).ShouldBeTrue();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(2 << 20)]
    public async Task Of_eight_creators_at_once_exactly_one_wins_and_its_bytes_are_there(int size)
    {
        for (var round = 0; round < 4; round++)
        {
            var name = $"race/{round}/object";
            using var start = new Barrier(8);
            var created = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
                () =>
                {
                    var content = Bytes(size, seed: i);
                    start.SignalAndWait();
                    return Store.CreateAsync(name, content, None).AsTask();
                },
                None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default).Unwrap()));
            created.Count(c => c).ShouldBe(1);
            (await ReadAllAsync(name)).AsSpan().SequenceEqual(Bytes(size, seed: Array.IndexOf(created, true))).ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData(0, 100, 100)]
    [InlineData(1, 4096, 4096)]
    [InlineData(4095, 2, 2)]
    [InlineData(9_990, 100, 10)]
    [InlineData(9_999, 1, 1)]
    [InlineData(10_000, 1, 0)]
    [InlineData(10_001, 5, 0)]
    [InlineData(long.MaxValue - 1, 100, 0)]
    [InlineData(5, 0, 0)]
    [InlineData(0, 20_000, 10_000)]
    public async Task A_ranged_read_returns_what_is_there(long offset, int count, int expected)
    {
        var content = Bytes(10_000);
        await Store.CreateAsync("ranged", content, None);
        var destination = new byte[count + 2];
        destination.AsSpan().Fill(0x5A);
        (await Store.ReadAsync("ranged", offset, destination.AsMemory(1, count), None)).ShouldBe(expected);
        destination[0].ShouldBe((byte)0x5A);
        destination[expected + 1].ShouldBe((byte)0x5A);
        if (expected > 0) destination.AsSpan(1, expected).SequenceEqual(content.AsSpan((int)offset, expected)).ShouldBeTrue();
    }

    [Fact]
    public async Task An_empty_object_is_an_object()
    {
        (await Store.CreateAsync("empty", ReadOnlyMemory<byte>.Empty, None)).ShouldBeTrue();
        (await Store.ReadAsync("empty", 0, new byte[10], None)).ShouldBe(0);
        (await ListAsync("")).Select(o => (o.Name, o.Size)).ShouldBe([("empty", 0L)]);
    }

    [Fact]
    public async Task What_is_missing_is_said_to_be_missing()
    {
        await Store.CreateAsync("there/is", Bytes(3), None);
        foreach (var name in new[] { "missing", "there/missing", "no/such/folder" })
        {
            (await Store.FindAsync(name, None)).ShouldBeNull();
            var error = await Should.ThrowAsync<ObjectNotFoundException>(async () => await Store.ReadAsync(name, 0, new byte[1], None));
            error.Name.ShouldBe(name);
            error.Message.ShouldContain(name);
            error.Message.ShouldContain(Store.Description);
            (await Store.DeleteAsync(name, None)).ShouldBeFalse();
        }

        (await Store.FindAsync("there", None)).ShouldBeNull(); // a folder is not an object
    }

    [Fact]
    public async Task A_deleted_object_is_gone_and_its_name_is_free()
    {
        await Store.CreateAsync("a/b", Bytes(100, seed: 1), None);
        (await ReadAllAsync("a/b")).ShouldBe(Bytes(100, seed: 1));
        (await Store.DeleteAsync("a/b", None)).ShouldBeTrue();
        (await Store.DeleteAsync("a/b", None)).ShouldBeFalse();
        (await Store.FindAsync("a/b", None)).ShouldBeNull();
        (await ListAsync("")).ShouldBeEmpty();
        await Should.ThrowAsync<ObjectNotFoundException>(async () => await Store.ReadAsync("a/b", 0, new byte[1], None));
        (await Store.CreateAsync("a/b", Bytes(50, seed: 2), None)).ShouldBeTrue();
        (await ReadAllAsync("a/b")).ShouldBe(Bytes(50, seed: 2));
    }

    [Fact]
    public async Task The_time_of_an_object_is_the_time_of_its_creation()
    {
        // A store's clock may differ from ours: compare its own times, and ours only roughly.
        await Store.CreateAsync("first", Bytes(1), None);
        await Store.CreateAsync("second", Bytes(1), None);
        var first = (await Store.FindAsync("first", None)).ShouldNotBeNull();
        var second = (await Store.FindAsync("second", None)).ShouldNotBeNull();
        second.LastModified.ShouldBeGreaterThanOrEqualTo(first.LastModified);
        (second.LastModified - first.LastModified).ShouldBeLessThan(TimeSpan.FromMinutes(10));
        (TimeProvider.System.GetUtcNow() - first.LastModified).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(15));
        (await ListAsync("")).ShouldBe([first, second]);
    }
}
