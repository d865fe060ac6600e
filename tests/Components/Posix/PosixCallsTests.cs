using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Tests.Components.Files;

namespace FunctionsBackup.Tests.Components.Posix;

public sealed class PosixCallsTests : IDisposable
{
    private readonly TempTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Status_tells_what_stat_tells()
    {
        _tree.Write("file", new byte[5000]);
        _tree.Shell("chmod 4751 file; ln file other; touch -d '1969-12-31T23:59:58.5Z' file");
        DirectoryCalls.Status(_tree.Descriptor, "file"u8, out var status).ShouldBe(PosixError.None);
        var expected = _tree.Shell("stat -c '%i %h %u %g %s %d' file").Split(' ').Select(ulong.Parse).ToArray();
        new ulong[] { status.Inode, status.Links, status.UserId, status.GroupId, (ulong)status.Size, status.Device }.ShouldBe(expected);
        status.Kind.ShouldBe(EntryKind.File);
        Convert.ToString(status.Mode, 8).ShouldBe("4751");
        status.ModifiedNanoseconds.ShouldBe(-1_500_000_000);
        status.Allocated.ShouldBe(8192);
    }

    [Fact]
    public void Opening_never_follows_a_link()
    {
        File.CreateSymbolicLink(_tree["link"], "/etc");
        DirectoryCalls.OpenDirectory(_tree.Descriptor, "link"u8, out _).ShouldBeOneOf(PosixError.NotDirectory, PosixError.Loop);
        DirectoryCalls.Open(_tree.Descriptor, "link"u8, OpenFlags.ReadOnly, 0, out _).ShouldBe(PosixError.Loop);
    }

    [Fact]
    public void A_name_with_a_NUL_is_refused_before_the_system_cuts_it()
    {
        DirectoryCalls.MakeDirectory(_tree.Descriptor, "a\0b"u8, 0x1C0).ShouldBe(PosixError.InvalidArgument);
        DirectoryCalls.MakeSymbolicLink("to\0o"u8, _tree.Descriptor, "link"u8).ShouldBe(PosixError.InvalidArgument);
        Directory.EnumerateFileSystemEntries(_tree.Path).ShouldBeEmpty();
    }

    [Fact]
    public void An_unnamed_file_appears_when_it_is_linked_and_replaces_nothing()
    {
        var error = DirectoryCalls.Open(_tree.Descriptor, "."u8, OpenFlags.WriteOnly | OpenFlags.Unnamed, 0x180, out var file);
        if (error == PosixError.NotSupported) return;
        error.ShouldBe(PosixError.None);
        using var open = file!;
        FileCalls.Write(open, "content"u8, 0).ShouldBe(PosixError.None);
        Directory.EnumerateFileSystemEntries(_tree.Path).ShouldBeEmpty();
        DirectoryCalls.LinkOpen(open, _tree.Descriptor, "named"u8).ShouldBe(PosixError.None);
        File.ReadAllText(_tree["named"]).ShouldBe("content");
        DirectoryCalls.LinkOpen(open, _tree.Descriptor, "named"u8).ShouldBe(PosixError.Exists);
    }

    [Fact]
    public void Names_come_sorted_as_bytes_whatever_their_number()
    {
        var names = Enumerable.Range(0, 5000).Select(i => $"{i % 7}-same-beginning-{i}").ToArray();
        foreach (var name in names) File.WriteAllBytes(_tree[name], []);
        var read = new DirectoryNames();
        read.Read(_tree.Descriptor).ShouldBe(PosixError.None);
        Enumerable.Range(0, read.Count).Select(i => ByteName.Display(read[i])).ShouldBe(names.Order(StringComparer.Ordinal));
        read.Read(_tree.Descriptor).ShouldBe(PosixError.None);
        read.Count.ShouldBe(5000);
    }

    [Fact]
    public void Errors_name_the_attempt_the_subject_and_the_reason() =>
        Should.Throw<PosixException>(() => PosixException.Check(PosixError.NoSpace, "write", [(byte)'a', 0xFF, (byte)'\n']))
            .Message.ShouldBe("Cannot write a\\xFF\\x0A: No space left on device.");

    [Theory]
    [InlineData("a/b", true)]
    [InlineData("a/..b", true)]
    [InlineData("", false)]
    [InlineData("/a", false)]
    [InlineData("a/", false)]
    [InlineData("a//b", false)]
    [InlineData("a/../b", false)]
    [InlineData("./a", false)]
    [InlineData("a\0b", false)]
    public void Only_paths_that_stay_below_their_root_are_safe(string path, bool safe) =>
        ByteName.IsSafeRelative(ByteName.Parse(path)).ShouldBe(safe);
}
