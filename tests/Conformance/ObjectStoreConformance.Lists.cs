using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Conformance;

/// <summary>Listings, names, cancellation, concurrent use.</summary>
public abstract partial class ObjectStoreConformance
{
    /// <summary>More than a page of any service: S3 lists 1000 at a time, Azure 5000.</summary>
    protected virtual int ManyObjects => 1203;

    [Fact]
    public async Task A_listing_is_in_ordinal_order_across_folders()
    {
        string[] names = ["B", "a-b/x", "a.b", "a/b/c", "a/b-c", "a/b.c/d", "a/b0", "a0/z", "a_", "aa/a", "b", "z/0/1/2/3"];
        foreach (var name in names.Reverse()) await Store.CreateAsync(name, Bytes(name.Length), None);
        var list = await ListAsync("");
        list.Select(o => o.Name).ShouldBe(names.Order(StringComparer.Ordinal));
        list.ShouldAllBe(o => o.Size == o.Name.Length);
    }

    [Fact]
    public async Task A_prefix_selects_a_folder_and_all_below()
    {
        foreach (var name in new[] { "p/1", "p/q/2", "p/q/r/3", "pq/4", "p.q/5", "o/6" }) await Store.CreateAsync(name, Bytes(1), None);
        (await ListAsync("p/")).Select(o => o.Name).ShouldBe(["p/1", "p/q/2", "p/q/r/3"]);
        (await ListAsync("p/q/")).Select(o => o.Name).ShouldBe(["p/q/2", "p/q/r/3"]);
        (await ListAsync("p/q/r/")).Select(o => o.Name).ShouldBe(["p/q/r/3"]);
        (await ListAsync("p/1/")).ShouldBeEmpty();
        (await ListAsync("none/")).ShouldBeEmpty();
        (await ListAsync("none/at/all/")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_listing_of_many_objects_is_complete_and_in_order()
    {
        var names = Enumerable.Range(0, ManyObjects).Select(i => $"many/{i % 7}/{i * 7919 % ManyObjects:x}-{i}").ToArray();
        await Parallel.ForEachAsync(names, async (name, token) => await Store.CreateAsync(name, new byte[] { 1 }, token));
        (await ListAsync("many/")).Select(o => o.Name).ShouldBe(names.Order(StringComparer.Ordinal));
        (await ListAsync("many/3/")).Select(o => o.Name)
            .ShouldBe(names.Where(n => n.StartsWith("many/3/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_object_may_be_deleted_while_it_is_listed()
    {
        for (var i = 0; i < 30; i++) await Store.CreateAsync($"d/{i:00}", Bytes(1), None);
        await Store.CreateAsync("e/last", Bytes(1), None);
        var seen = new List<string>();
        await foreach (var info in Store.ListAsync("", None))
        {
            seen.Add(info.Name);
            await Store.DeleteAsync(info.Name, None);
        }

        seen.ShouldBe(seen.Order(StringComparer.Ordinal));
        seen.Count.ShouldBe(31);
        (await ListAsync("")).ShouldBeEmpty();
    }

    public static TheoryData<string> IllegalNames =>
    [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/./b", "a b", "a\\b", "a\0b", "é", "a\n", "a~", "a:b", "a*", "%41",
        new string('x', 256), string.Join('/', Enumerable.Repeat("xxxx", 103)),
    ];

    [Theory]
    [MemberData(nameof(IllegalNames))]
    public async Task Illegal_names_are_refused(string name)
    {
        await Should.ThrowAsync<ArgumentException>(async () => await Store.CreateAsync(name, Bytes(1), None));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.FindAsync(name, None));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.ReadAsync(name, 0, new byte[1], None));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.DeleteAsync(name, None));
        if (name.Length > 0 && name != "a/") await Should.ThrowAsync<ArgumentException>(async () => await ListAsync(name));
        (await ListAsync("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_longest_names_are_accepted()
    {
        var name = $"{new string('a', 255)}/{new string('.', 253)}b/c";
        name.Length.ShouldBe(ObjectName.MaximumLength);
        (await Store.CreateAsync(name, Bytes(5), None)).ShouldBeTrue();
        (await ListAsync("")).Select(o => o.Name).ShouldBe([name]);
        (await ReadAllAsync(name)).ShouldBe(Bytes(5));
    }

    [Fact]
    public async Task A_negative_offset_is_refused()
    {
        await Store.CreateAsync("a", Bytes(5), None);
        await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await Store.ReadAsync("a", -1, new byte[1], None));
    }

    [Fact]
    public async Task A_cancelled_call_does_nothing()
    {
        await Store.CreateAsync("a", Bytes(5), None);
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(async () => await Store.CreateAsync("b", Bytes(5), source.Token));
        await Should.ThrowAsync<OperationCanceledException>(async () => await Store.DeleteAsync("a", source.Token));
        await Should.ThrowAsync<OperationCanceledException>(async () => await Store.ReadAsync("a", 0, new byte[1], source.Token));
        await Should.ThrowAsync<OperationCanceledException>(async () => await Store.FindAsync("a", source.Token));
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Store.ListAsync("", source.Token)) { }
        });
        (await ListAsync("")).Select(o => o.Name).ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_create_cancelled_on_the_way_leaves_all_or_nothing()
    {
        var content = Bytes(12 << 20);
        for (var i = 0; i < 8; i++)
        {
            var name = $"cancelled/{i}";
            using var source = new CancellationTokenSource();
            var create = Store.CreateAsync(name, content, source.Token).AsTask();
            for (var spin = 0; spin < i; spin++) await Task.Yield();
            await source.CancelAsync();
            try
            {
                (await create).ShouldBeTrue();
            }
            catch (OperationCanceledException)
            {
                // as asked; what it left is looked at below
            }

            // A service may finish what it has heard of after nobody waits for it: then it is all there.
            var isThere = await Store.FindAsync(name, None) is not null || (await ListAsync("cancelled/")).Any(o => o.Name == name);
            if (isThere) (await ReadAllAsync(name)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task All_members_may_be_used_at_once()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 48), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            var content = Bytes(1000 + (i * 40_000), seed: i);
            var name = $"use/{i % 5}/{i}";
            (await Store.CreateAsync(name, content, token)).ShouldBeTrue();
            var part = new byte[500];
            for (var offset = 0; offset < 5; offset++)
            {
                (await Store.ReadAsync(name, offset * 100, part, token)).ShouldBe(500);
                part.AsSpan().SequenceEqual(content.AsSpan(offset * 100, 500)).ShouldBeTrue();
            }

            await foreach (var info in Store.ListAsync($"use/{i % 5}/", token)) info.Size.ShouldBeGreaterThanOrEqualTo(1000);
            if (i % 3 == 0) (await Store.DeleteAsync(name, token)).ShouldBeTrue();
        });
        (await ListAsync("use/")).Count.ShouldBe(32);
    }
}
