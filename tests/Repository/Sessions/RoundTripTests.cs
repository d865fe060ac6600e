using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Sessions;

public sealed class RoundTripTests
{
    private static readonly byte[] Random16 = Bytes(16_000_000, 1);

    [Fact]
    public async Task What_goes_in_comes_out()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var files = new Dictionary<string, byte[]>
        {
            ["empty"] = [],
            ["one"] = [1],
            ["large"] = Random16,
            ["text"] = [.. Enumerable.Range(0, 5_000_000).Select(i => (byte)('a' + (i / 7 % 26)))],
            ["twin"] = Random16[..3_000_000],
        };
        for (var i = 0; i < 3000; i++) files[$"small/{i:D4}"] = Bytes(i, i);
        var snapshot = await repository.BackUpAsync(files);
        (await repository.RestoreAsync(snapshot)).ShouldHold(files);
        snapshot.Statistics.LogicalBytes.ShouldBe(files.Values.Sum(f => (long)f.Length));
        snapshot.Statistics.ReadBytes.ShouldBe(snapshot.Statistics.LogicalBytes);

        // And from a fresh process that knows nothing.
        var again = await TestRepository.OpenAsync(store);
        (await again.GetSnapshotAsync("latest", null, CancellationToken.None)).Id.ShouldBe(snapshot.Id);
        (await again.RestoreAsync(await again.GetSnapshotAsync(snapshot.Id[..15], "test", CancellationToken.None))).ShouldHold(files);
    }

    [Fact]
    public async Task What_is_there_already_is_not_stored_again()
    {
        var repository = await TestRepository.CreateAsync();
        var files = new Dictionary<string, byte[]> { ["a"] = Random16, ["b"] = Bytes(5_000_000, 2) };
        var first = await repository.BackUpAsync(files);
        var same = await repository.BackUpAsync(files);
        same.Statistics.NewBytes.ShouldBe(0);
        same.Statistics.StoredBytes.ShouldBe(0);
        same.Catalog.Items.ShouldBe(first.Catalog.Items);

        var changed = new Dictionary<string, byte[]>(files) { ["a"] = [.. Random16[..8_000_000], 1, 2, 3, .. Random16[8_000_000..]] };
        var second = await repository.BackUpAsync(changed, first);
        second.Statistics.NewBytes.ShouldBeLessThan(5 * ContentLimits.MaximumChunkSize);
        (await repository.RestoreAsync(second)).ShouldHold(changed);
        (await repository.RestoreAsync(first)).ShouldHold(files);
    }

    [Fact]
    public async Task Two_sessions_at_once_both_commit_and_share()
    {
        var store = new InMemoryObjectStore();
        var one = await TestRepository.CreateAsync(store);
        var two = await TestRepository.OpenAsync(store);
        var files = Enumerable.Range(0, 40).ToDictionary(i => $"f{i}", i => Bytes(700_000, i));
        var snapshots = await Task.WhenAll(one.BackUpAsync(files), two.BackUpAsync(files), one.BackUpAsync(files));
        var reader = await TestRepository.OpenAsync(store);
        foreach (var snapshot in snapshots) (await reader.RestoreAsync(snapshot)).ShouldHold(files);
        (snapshots[0].Statistics.NewBytes + snapshots[2].Statistics.NewBytes).ShouldBeLessThan(2 * 40 * 700_000L + 1_000_000);
        (await reader.ListSnapshotsAsync("test", CancellationToken.None).CountAsync()).ShouldBe(3);
        (await reader.ListSnapshotsAsync("other", CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Holes_take_no_space_and_long_contents_use_lists()
    {
        var repository = await TestRepository.CreateAsync();
        await using var session = repository.BeginSession(SessionTestExtensions.Options);
        var content = await session.StoreAsync(
            new RunsSource([(Bytes(100_000, 1), 0), ([], 1L << 40), (Bytes(3_000_000, 2), 5_000)]), ContentOptions.ContentDefined, CancellationToken.None);
        content.Size.ShouldBe(100_000 + (1L << 40) + 3_000_000 + 5_000);
        var pages = await session.StoreAsync(new BytesSource(Bytes(200 * ContentLimits.PageChunkSize + 7, 3)), ContentOptions.Pages(8192), CancellationToken.None);
        pages.Depth.ShouldBe(1);
        var many = session.BuildContent();
        var expected = new List<byte>();
        for (var i = 0; i < (ContentLimits.ItemsPerList * 20) + 5; i++)
        {
            var bytes = Bytes(20, i % 1000);
            expected.AddRange(bytes);
            await many.AddChunkAsync(bytes, CancellationToken.None);
        }

        var deep = await many.CompleteAsync(CancellationToken.None);
        deep.Depth.ShouldBe(2);
        await session.CommitAsync(SessionTestExtensions.Draft(), CancellationToken.None);

        (await repository.ReadItemsAsync(content, CancellationToken.None).Where(i => i.IsHole).Select(i => i.Length).SumAsync()).ShouldBe((1L << 40) + 5_000);
        (await repository.ReadAllAsync(pages)).ShouldBe(Bytes((200 * ContentLimits.PageChunkSize) + 7, 3));
        (await repository.ReadAllAsync(deep)).AsSpan().SequenceEqual(expected.ToArray()).ShouldBeTrue();
    }

    [Fact]
    public async Task A_session_that_is_not_committed_leaves_nothing_visible()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        await using (var session = repository.BeginSession(SessionTestExtensions.Options))
            await session.AddFilesAsync(repository, new Dictionary<string, byte[]> { ["a"] = Random16 });
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
        (await store.ListAsync("snapshots/", CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_store_that_fails_fails_the_backup_and_nothing_is_committed()
    {
        var faulty = new FullStore(new InMemoryObjectStore());
        var repository = await TestRepository.CreateAsync(faulty);
        faulty.BytesLeft = 20_000_000;
        var files = Enumerable.Range(0, 60).ToDictionary(i => $"f{i:D2}", i => Bytes(1_000_000, i));
        await Should.ThrowAsync<FunctionsBackup.Storage.StoreFullException>(() => repository.BackUpAsync(files));
        faulty.BytesLeft = long.MaxValue;
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
        var snapshot = await repository.BackUpAsync(files);
        (await repository.RestoreAsync(snapshot)).ShouldHold(files);
    }

    [Fact]
    public async Task Ids_that_fit_none_or_several_are_refused()
    {
        var repository = await TestRepository.CreateAsync();
        await Should.ThrowAsync<SnapshotNotFoundException>(async () => await repository.GetSnapshotAsync("latest", null, CancellationToken.None));
        await repository.BackUpAsync(new Dictionary<string, byte[]> { ["a"] = [1] });
        await repository.BackUpAsync(new Dictionary<string, byte[]> { ["a"] = [2] });
        (await Should.ThrowAsync<SnapshotNotFoundException>(async () => await repository.GetSnapshotAsync("20", null, CancellationToken.None)))
            .Message.ShouldContain("2 recovery points");
        await Should.ThrowAsync<SnapshotNotFoundException>(async () => await repository.GetSnapshotAsync("1999", null, CancellationToken.None));
    }

    internal static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private sealed class RunsSource(IEnumerable<(byte[] Data, long Hole)> runs) : IContentSource
    {
        private readonly Queue<(byte[] Data, long Hole)> _runs = new(runs);
        private byte[] _data = [];
        private int _at;
        private long _hole;

        public ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (_at == _data.Length && _hole == 0)
            {
                if (!_runs.TryDequeue(out var run)) return ValueTask.FromResult(default(ContentRun));
                (_data, _hole) = run;
                _at = 0;
            }

            if (_at < _data.Length)
            {
                var count = Math.Min(buffer.Length, _data.Length - _at);
                _data.AsMemory(_at, count).CopyTo(buffer);
                _at += count;
                return ValueTask.FromResult(new ContentRun(count));
            }

            var hole = _hole;
            _hole = 0;
            return ValueTask.FromResult(new ContentRun(0, hole));
        }
    }
}
