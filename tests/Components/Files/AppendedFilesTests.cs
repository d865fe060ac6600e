using System.Text;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Tests.Components.Files;

/// <summary>Logs: each way of rotating them, and each way of being wrong about them.</summary>
public sealed class AppendedFilesTests : FilesTestBase
{
    /// <summary>Three chunks of at most 2 MiB are read to check a file, and the last one again with what follows.</summary>
    private const long Checked = 4L * (2 << 20);

    /// <summary>Of the catalog and its lists of chunks, which are new in each recovery point.</summary>
    private const int Catalog = 32 << 10;

    private static byte[] Lines(int count, int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        for (var i = 0; i < count; i++) text.Append("2026-11-27T05:00:00Z room ").Append(seed).Append(' ').Append(i).Append(' ').Append(random.NextInt64()).Append('\n');
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static readonly byte[] Large = Lines(600_000, 1);

    private Task<Snapshot> BackUpLogsAsync() => BackUpAsync(o => o with { AppendOnly = true });

    private async Task ShouldRoundTripAsync(Snapshot snapshot)
    {
        snapshot.Warnings.ShouldBeEmpty();
        await RestoreAsync(snapshot, o => o with { Delta = true, DeleteExtra = true, Overwrite = true });
        ShouldBeRestored();
    }

    private static long Continued(Snapshot snapshot) => FilesBackupDetails.FromJson(snapshot.Details)!.Continued;

    [Fact]
    public async Task A_renamed_log_is_neither_read_nor_stored_again()
    {
        Tree.Write("source/app.log", Large);
        await BackUpLogsAsync();
        File.Move(Tree["source/app.log"], Tree["source/app.log.1"]);
        Tree.Write("source/app.log", "new\n");
        var second = await BackUpLogsAsync();
        Continued(second).ShouldBe(1);
        second.Statistics.ReadBytes.ShouldBeInRange(4, Checked);
        second.Statistics.NewBytes.ShouldBeInRange(4, 4 + Catalog);
        await ShouldRoundTripAsync(second);

        // A chain of them, as logrotate makes it, by date too.
        File.Move(Tree["source/app.log.1"], Tree["source/app.log-20261127"]);
        File.Move(Tree["source/app.log"], Tree["source/app.log.1"]);
        var third = await BackUpLogsAsync();
        Continued(third).ShouldBe(2);
        third.Statistics.NewBytes.ShouldBeLessThan(Catalog);
        await ShouldRoundTripAsync(third);
    }

    [Theory]
    [InlineData("source/app.log")]
    [InlineData("source/app.log.1")]
    public async Task A_log_that_grew_is_read_from_where_it_ended(string name)
    {
        Tree.Write("source/app.log", Large);
        await BackUpLogsAsync();
        var added = Lines(1000, 2);
        await using (var file = new FileStream(Tree["source/app.log"], FileMode.Append)) await file.WriteAsync(added);
        if (name != "source/app.log") File.Move(Tree["source/app.log"], Tree[name]);
        var second = await BackUpLogsAsync();
        Continued(second).ShouldBe(1);
        second.Statistics.ReadBytes.ShouldBeInRange(added.Length, added.Length + Checked);
        second.Statistics.NewBytes.ShouldBeLessThan(added.Length + (2 << 20) + Catalog);
        await ShouldRoundTripAsync(second);

        // It is cut into chunks just as if it had been read whole.
        (await BackUpAsync(o => o with { Full = true, AppendOnly = true })).Statistics.NewBytes.ShouldBeLessThan(Catalog);
    }

    [Fact]
    public async Task Copytruncate_stores_the_copy_once_and_reads_the_rest_anew()
    {
        Tree.Write("source/app.log", Large);
        await BackUpLogsAsync();
        File.Copy(Tree["source/app.log"], Tree["source/app.log.1"]);
        Overwrite(Tree["source/app.log"], Lines(10, 3));
        var second = await BackUpLogsAsync();
        Continued(second).ShouldBe(0);
        second.Statistics.NewBytes.ShouldBeInRange(Lines(10, 3).Length, Lines(10, 3).Length + Catalog);
        await ShouldRoundTripAsync(second);
    }

    [Fact]
    public async Task A_log_that_was_truncated_and_outgrew_what_it_was_is_read_whole()
    {
        Tree.Write("source/app.log", Lines(5000, 1));
        await BackUpLogsAsync();
        Overwrite(Tree["source/app.log"], Lines(9000, 4));
        var second = await BackUpLogsAsync();
        Continued(second).ShouldBe(0);
        await ShouldRoundTripAsync(second);
    }

    [Fact]
    public async Task An_inode_that_was_used_again_is_read_whole()
    {
        Tree.Write("source/app.log", Lines(5000, 1));
        await BackUpLogsAsync();
        // The same inode, under another name, with another content of the same size and the same time.
        var time = File.GetLastWriteTimeUtc(Tree["source/app.log"]);
        File.Move(Tree["source/app.log"], Tree["source/other.log"]);
        var other = Lines(5000, 1);
        other[7] ^= 1;
        Overwrite(Tree["source/other.log"], other);
        File.SetLastWriteTimeUtc(Tree["source/other.log"], time);
        var second = await BackUpLogsAsync();
        Continued(second).ShouldBe(0);
        await ShouldRoundTripAsync(second);
    }

    [Fact]
    public async Task Holes_that_a_writer_leaves_after_a_truncation_are_noticed()
    {
        Tree.Write("source/app.log", Lines(5000, 1));
        await BackUpLogsAsync();
        var length = new FileInfo(Tree["source/app.log"]).Length;
        await using (var file = new FileStream(Tree["source/app.log"], FileMode.Open, FileAccess.Write))
        {
            file.SetLength(0);
            file.Position = length; // a writer without O_APPEND goes on where it was
            await file.WriteAsync(Lines(3, 5));
        }

        var second = await BackUpLogsAsync();
        Continued(second).ShouldBe(0);
        await ShouldRoundTripAsync(second);
    }

    [Fact]
    public async Task A_compressed_rotation_is_stored_once_whatever_it_is_called()
    {
        Tree.Write("source/app.log", Lines(50_000, 1));
        await BackUpLogsAsync();
        Tree.Shell("cd source && mv app.log app.log.1 && gzip app.log.1");
        var second = await BackUpLogsAsync();
        var compressed = new FileInfo(Tree["source/app.log.1.gz"]).Length;
        second.Statistics.NewBytes.ShouldBeInRange(compressed, compressed + Catalog);
        File.Move(Tree["source/app.log.1.gz"], Tree["source/app.log.2.gz"]);
        var third = await BackUpLogsAsync();
        Continued(third).ShouldBe(1);
        third.Statistics.NewBytes.ShouldBeLessThan(Catalog);
        await ShouldRoundTripAsync(third);
    }

    [Fact]
    public async Task Without_the_option_and_with_a_full_backup_everything_is_read()
    {
        Tree.Write("source/app.log", Large);
        await BackUpLogsAsync();
        File.Move(Tree["source/app.log"], Tree["source/app.log.1"]);
        (await BackUpAsync()).Statistics.ReadBytes.ShouldBe(Large.Length);
        (await BackUpAsync(o => o with { Full = true, AppendOnly = true })).Statistics.ReadBytes.ShouldBe(Large.Length);
    }

    /// <summary>In place: the inode stays.</summary>
    private static void Overwrite(string path, byte[] content)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.SetLength(0);
        file.Write(content);
    }
}
