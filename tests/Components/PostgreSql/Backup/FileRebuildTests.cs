using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

/// <summary>What incremental backups are put together from, without a server.</summary>
public sealed class FileRebuildTests
{
    private const int PageSize = 8192;

    /// <summary>Earlier chunks of today's size, smaller and larger ones, and of no whole pages; and the largest pages that there are.</summary>
    [Theory]
    [InlineData(8192, ContentLimits.PageChunkSize)]
    [InlineData(8192, 8192)]
    [InlineData(8192, 32768)]
    [InlineData(8192, 65536)]
    [InlineData(8192, 12345)]
    [InlineData(32768, 32768)]
    public async Task Earlier_content_and_changed_blocks_make_exactly_the_file_whatever_was_cut_or_added(int pageSize, int chunkSize)
    {
        await using var repository = await TestRepository.CreateAsync();
        var random = new Random(7);
        for (var round = 0; round < 24; round++)
        {
            var earlier = Pages(random, random.Next(0, 60), zeros: round % 3 == 0, pageSize);
            var truncation = (uint)random.Next(0, 70);
            var blocks = Enumerable.Range(0, 80).Where(_ => random.Next(round % 4 == 0 ? 2 : 12) == 0).Select(block => (uint)block).ToArray();
            var file = new IncrementalFile(truncation, blocks);
            var sent = blocks.ToDictionary(block => block, _ => Pages(random, 1, zeros: false, pageSize));

            await using var first = repository.BeginSession(new SessionOptions("test", 1));
            var builder = first.BuildContent();
            for (var at = 0; at < earlier.Length; at += chunkSize)
                await builder.AddChunkAsync(earlier.AsMemory(at, Math.Min(chunkSize, earlier.Length - at)), CancellationToken.None);
            var content = await builder.CompleteAsync(CancellationToken.None);
            await first.CommitAsync(new SnapshotDraft("full", null, DateTimeOffset.UtcNow, [], null), CancellationToken.None);

            await using var second = repository.BeginSession(new SessionOptions("test", 1));
            using var rebuild = new FileRebuild(repository, second, content, file, pageSize);
            var whole = await rebuild.RunAsync(
                (page, block) =>
                {
                    sent[block].CopyTo(page);
                    return ValueTask.CompletedTask;
                },
                CancellationToken.None);
            await second.CommitAsync(new SnapshotDraft("incremental", null, DateTimeOffset.UtcNow, [], null), CancellationToken.None);

            var expected = new byte[file.TotalBlocks * pageSize];
            earlier.AsSpan(0, Math.Min(earlier.Length, (int)Math.Min(truncation * (long)pageSize, expected.Length))).CopyTo(expected);
            foreach (var (block, page) in sent) page.CopyTo(expected, (int)block * pageSize);
            using var actual = new MemoryStream();
            await using (var stream = repository.OpenContent(whole)) await stream.CopyToAsync(actual);
            actual.ToArray().AsSpan().SequenceEqual(expected).ShouldBeTrue($"round {round}");
        }
    }

    [Fact]
    public void Summaries_are_used_only_without_a_gap()
    {
        (Lsn, Lsn)[] available = [(new(30), new(40)), (new(10), new(20)), (new(20), new(30)), (new(5), new(10))];
        WalSummaries.Cover(available, new Lsn(12), new Lsn(35)).ShouldBe([(new Lsn(10), new Lsn(20)), (new Lsn(20), new Lsn(30)), (new Lsn(30), new Lsn(40))]);
        WalSummaries.Cover(available, new Lsn(12), new Lsn(41)).ShouldBeNull();
        WalSummaries.Cover(available, new Lsn(4), new Lsn(35)).ShouldBeNull();
        WalSummaries.Cover(available.Where(range => range.Item1.Value != 20).ToList(), new Lsn(12), new Lsn(35)).ShouldBeNull();
        WalSummaries.Cover([], new Lsn(7), new Lsn(7)).ShouldBe([]);
    }

    [Fact]
    public void Changed_blocks_become_changed_chunks_and_what_was_cut_off_is_never_taken_over()
    {
        var changed = new ChangedBlocks(pagesPerChunk: 4);
        changed.Add(1663, 5, 100, 0, 9, false);
        changed.Add(1663, 5, 100, 0, 131072 + 4, false);
        changed.Add(1663, 5, 200, 0, 50, true);
        changed.Add(1663, 5, 200, 0, 42, true);
        changed.Add(1663, 5, 300, 0, 0, true);
        changed.Add(1663, 6, 0, 0, 0, true);

        var file = changed.Find(MainFork(5, 100, 0), 0)!;
        Enumerable.Range(0, 5).Select(chunk => file.IsChanged(chunk)).ShouldBe([false, false, true, false, false]);
        changed.Find(MainFork(5, 100, 1), 131072)!.IsChanged(1).ShouldBeTrue();
        changed.Find(MainFork(5, 100, 1), 131072)!.IsChanged(0).ShouldBeFalse();
        var cut = changed.Find(MainFork(5, 200, 0), 0)!;
        (cut.IsChanged(9), cut.IsChanged(10), cut.IsChanged(11)).ShouldBe((false, true, true));
        cut.IsUnchanged.ShouldBeFalse();
        changed.Find(MainFork(5, 300, 0), 0).ShouldBeNull();
        changed.Find(MainFork(6, 1, 0), 0).ShouldBeNull();
        changed.Find(MainFork(5, 999, 0), 0)!.IsUnchanged.ShouldBeTrue();
        changed.Find(MainFork(5, 999, 0) with { Fork = RelationFork.FreeSpaceMap }, 0).ShouldBeNull();
        changed.Find(MainFork(5, 999, 0) with { Fork = RelationFork.VisibilityMap }, 0).ShouldBeNull();
        Should.Throw<PostgresBackupException>(() => changed.Add(1663, 5, 1, 0, -1, false));
    }

    [Fact]
    public async Task An_incremental_file_that_makes_no_sense_is_refused()
    {
        foreach (var hostile in (uint[][])[
            [0xD3AE1F0C, 0, 1], [0xD3AE1F0D, 131073, 1], [0xD3AE1F0D, 0, 131073], [0xD3AE1F0D, 2, 1, 5, 5], [0xD3AE1F0D, 2, 1, 6, 5],
            [0xD3AE1F0D, 1, 1, 131072], [0xD3AE1F0D, 5, 1, 1]])
        {
            using var file = new StreamedFile(null);
            await file.WriteAsync(hostile.SelectMany(BitConverter.GetBytes).ToArray(), CancellationToken.None);
            await file.CompleteAsync(CancellationToken.None);
            await Should.ThrowAsync<PostgresBackupException>(async () => await IncrementalFile.ReadAsync(file, PageSize, 131072, CancellationToken.None));
        }
    }

    [Fact]
    public void The_label_of_a_whole_copy_does_not_ask_for_other_copies()
    {
        const string Text = "START WAL LOCATION: 1/2000028 (file 000000030000000100000002)\nBACKUP FROM: standby\nSTART TIMELINE: 3\n";
        var label = BackupLabel.Parse(Text);
        label.ShouldBe(new BackupLabel(Lsn.Parse("1/2000028"), 3, true));
        BackupLabel.WithoutIncremental(System.Text.Encoding.UTF8.GetBytes(Text + "INCREMENTAL FROM LSN: 1/1000028\nINCREMENTAL FROM TLI: 3\n"))
            .ShouldBe(System.Text.Encoding.UTF8.GetBytes(Text));
        Should.Throw<PostgresBackupException>(() => BackupLabel.Parse("nothing"));
        ClusterFacts.ParseSize("16MB").ShouldBe(16 << 20);
        ClusterFacts.ParseSize("8192").ShouldBe(8192);
        Should.Throw<PostgresBackupException>(() => ClusterFacts.ParseSize("16XB"));
    }

    private static RelationFile MainFork(uint database, uint number, uint segment) => new(1663, database, number, RelationFork.Main, segment);

    private static byte[] Pages(Random random, int count, bool zeros, int pageSize)
    {
        var bytes = new byte[count * pageSize];
        if (!zeros) random.NextBytes(bytes);
        return bytes;
    }
}
