using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Tests.Components.Files;

public sealed class RoundTripTests : FilesTestBase
{
    // Everything that a file system lets a name, a mode or a file be. Owners, devices and closed directories need root.
    private const string Nasty =
        """
        mkdir source; cd source
        mkdir -p empty/also 'with space' "$(printf 'new\nline')" "$(printf 'not\xff\xfeutf8')"
        echo a > "$(printf 'new\nline/tab\tquote"')"
        echo b > "$(printf 'not\xff\xfeutf8/\x01\x80')"
        echo c > "$(printf 'n%.0s' $(seq 255))"
        echo d > ./-rf; echo e > ' leading'; echo f > 'trailing '
        ln -s ../outside up; ln -s /nowhere/at/all dangling; ln -s "$(printf 'x%.0s' $(seq 3000))" longtarget; ln -s . self
        echo linked > z-first; ln z-first 'with space/second'; ln z-first empty/third
        mkfifo fifo; chmod 640 fifo
        truncate -s 10G sparse; echo start | dd of=sparse conv=notrunc status=none; echo middle | dd of=sparse bs=1M seek=5000 conv=notrunc status=none
        truncate -s 3M onlyhole
        truncate -s 300K tailhole; echo x | dd of=tailhole conv=notrunc status=none
        head -c 5000000 /dev/urandom > big; head -c 131072 /dev/urandom > edge; head -c 131071 /dev/urandom > below; : > zero
        echo s > setuid; chmod 4755 setuid; echo g > setgid; chmod 2710 setgid; mkdir sticky; chmod 1777 sticky
        echo n > none; chmod 0 none; echo r > readonly; chmod 444 readonly
        mkdir closed; echo i > closed/inner; chmod 500 closed
        touch -d '1901-12-13T20:45:52.123456789Z' old; touch -d '2199-02-03T04:05:06.000000001Z' future
        touch -h -d '2001-02-03T04:05:06.789Z' dangling; touch -d '2002-03-04T05:06:07.891234567Z' sticky 'with space'
        """;

    [Fact]
    public async Task A_nasty_tree_comes_back_as_it_was()
    {
        Tree.Shell(Nasty);
        if (Accounts.IsRoot) Tree.Shell("cd source; chown 1234:5678 big; chown -h 42:43 dangling; chown 77:88 setuid; chmod 4755 setuid; mknod null c 1 3");
        var attributes = SetAttributes();
        var snapshot = await BackUpAsync();
        snapshot.Warnings.ShouldBeEmpty();
        snapshot.Statistics.ReadBytes.ShouldBeLessThan(8_000_000);

        var report = await RestoreAsync(snapshot);
        report.Warnings.ShouldBeEmpty();
        report.Damaged.ShouldBeEmpty();
        ShouldBeRestored();
        if (attributes) TreeManifest.Of(Tree["target"]).ShouldContain(line => line.Contains("user.comment="));
        int.Parse(Tree.Shell("du -k target/sparse | cut -f1")).ShouldBeLessThan(200);

        // In place over itself: nothing differs, so nothing is written.
        report = await RestoreAsync(snapshot, o => o with { Delta = true, DeleteExtra = true });
        report.Warnings.ShouldBeEmpty();
        report.WrittenBytes.ShouldBe(0);
        ShouldBeRestored();

        report = await RestoreAsync(snapshot, o => o with { Overwrite = true, Staging = true });
        report.Warnings.ShouldBeEmpty();
        ShouldBeRestored();
        Directory.EnumerateFileSystemEntries(Tree.Path).Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_tree_deeper_than_any_path_can_name_comes_back()
    {
        Tree.Shell("mkdir source; cd source; for i in $(seq 40); do n=$(printf 'd%.0s' $(seq 250)); mkdir $n; cd -P $n; done; echo deep > file; ln file link");
        var snapshot = await BackUpAsync();
        await RestoreAsync(snapshot);
        ShouldBeRestored();
    }

    [Fact]
    public async Task Directories_that_come_last_get_their_times_last()
    {
        Tree.Write("source/a/b/c", "x");
        Tree.Shell("touch -d 2001-01-01 source/a/b; touch -d 2002-01-01 source/a; touch -d 2003-01-01 source");
        var snapshot = await BackUpAsync();
        await RestoreAsync(snapshot);
        ShouldBeRestored();
    }

    [Fact]
    public async Task Equal_chunks_in_many_files_are_fetched_once_and_written_everywhere()
    {
        var shared = TempTree.RandomBytes(1_500_000, 3);
        for (var i = 0; i < 60; i++) Tree.Write($"source/{i}", [.. shared, .. TempTree.RandomBytes(i * 1000, i)]);
        var snapshot = await BackUpAsync();
        snapshot.Statistics.NewBytes.ShouldBeLessThan(45_000_000);
        await RestoreAsync(snapshot);
        ShouldBeRestored();
    }

    private bool SetAttributes()
    {
        DirectoryCalls.OpenDirectory(Tree.Descriptor, "source"u8, out var opened).ShouldBe(PosixError.None);
        using var source = opened!;
        if (AttributeCalls.Write(source, "big"u8, "user.comment"u8, "call 7\0\xFF"u8) == PosixError.NotSupported) return false;
        AttributeCalls.Write(source, "big"u8, "user.empty"u8, []).ShouldBe(PosixError.None);
        AttributeCalls.Write(source, "sticky"u8, "user.dir"u8, "on a directory"u8).ShouldBe(PosixError.None);
        if (Accounts.IsRoot) AttributeCalls.Write(source, "dangling"u8, "trusted.link"u8, "on a link"u8).ShouldBe(PosixError.None);
        return true;
    }
}
