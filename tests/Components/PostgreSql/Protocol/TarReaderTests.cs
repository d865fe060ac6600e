using System.Formats.Tar;
using System.Text;
using FunctionsBackup.Components.PostgreSql.Protocol;
using OurTarReader = FunctionsBackup.Components.PostgreSql.Protocol.TarReader;

namespace FunctionsBackup.Tests.Components.PostgreSql.Protocol;

public sealed class TarReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(1000)]
    [InlineData(1 << 20)]
    public async Task Entries_and_bytes_come_whole_however_the_pieces_fall(int piece)
    {
        var longName = string.Join('/', Enumerable.Repeat("directory", 20)) + "/file";
        var archive = await WriteAsync(
            ("base/", TarEntryType.Directory, ""), ("base/1", TarEntryType.RegularFile, "hello"), ("empty", TarEntryType.RegularFile, ""),
            ("block", TarEntryType.RegularFile, new string('b', 512)), (longName, TarEntryType.RegularFile, new string('x', 70000)),
            ("link", TarEntryType.SymbolicLink, "/elsewhere"));
        var seen = await ReadAsync(archive, piece);
        seen.Select(entry => (entry.Entry.Path, entry.Entry.Kind, entry.Text)).ShouldBe(
        [
            ("base", TarEntryKind.Directory, ""), ("base/1", TarEntryKind.File, "hello"), ("empty", TarEntryKind.File, ""),
            ("block", TarEntryKind.File, new string('b', 512)), (longName, TarEntryKind.File, new string('x', 70000)),
            ("link", TarEntryKind.SymbolicLink, ""),
        ]);
        seen[^1].Entry.LinkTarget.ShouldBe("/elsewhere");
        seen[1].Entry.Mode.ShouldBe(Convert.ToUInt32("640", 8));
    }

    [Theory]
    [InlineData("../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("base/../../x")]
    [InlineData("base//x")]
    public async Task A_path_that_leads_out_is_refused(string path)
    {
        var archive = await WriteAsync(("a", TarEntryType.RegularFile, ""));
        archive.AsSpan(0, 100).Clear();
        Encoding.ASCII.GetBytes(path).CopyTo(archive, 0);
        Sign(archive);
        await Should.ThrowAsync<TarFormatException>(() => ReadAsync(archive, 4096));
    }

    [Fact]
    public async Task Devices_and_hard_links_are_refused()
    {
        foreach (var type in "1346L")
        {
            var archive = await WriteAsync(("a", TarEntryType.RegularFile, ""));
            archive[156] = (byte)type;
            Sign(archive);
            await Should.ThrowAsync<TarFormatException>(() => ReadAsync(archive, 4096));
        }
    }

    [Fact]
    public async Task Sizes_beyond_eight_gigabytes_are_read_from_their_binary_form()
    {
        var archive = await WriteAsync(("a", TarEntryType.RegularFile, ""));
        byte[] size = [0x80, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 7];
        size.CopyTo(archive, 124);
        Sign(archive);
        var reader = new OurTarReader(Pieces(archive, 512));
        (await reader.NextAsync(CancellationToken.None))!.Size.ShouldBe((3L << 32) + 7);
    }

    [Fact]
    public async Task Noise_is_refused_or_read_but_never_believed_beyond_what_is_there()
    {
        var archive = await WriteAsync(("base/1", TarEntryType.RegularFile, "hello"), ("b", TarEntryType.RegularFile, new string('y', 3000)));
        var random = new Random(1);
        for (var round = 0; round < 3000; round++)
        {
            var noisy = (byte[])archive.Clone();
            for (var flips = random.Next(1, 6); flips > 0; flips--) noisy[random.Next(noisy.Length)] = (byte)random.Next(256);
            if (random.Next(2) == 0) Sign(noisy);
            if (random.Next(4) == 0) noisy = noisy[..random.Next(noisy.Length)];
            try
            {
                var seen = await ReadAsync(noisy, random.Next(1, 2000));
                seen.Sum(entry => entry.Text.Length).ShouldBeLessThanOrEqualTo(noisy.Length);
            }
            catch (TarFormatException)
            {
                // What it is for.
            }
        }
    }

    private static void Sign(byte[] archive)
    {
        archive.AsSpan(148, 8).Fill((byte)' ');
        var sum = 0;
        for (var i = 0; i < 512; i++) sum += archive[i];
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(archive, 148);
    }

    private static async Task<byte[]> WriteAsync(params (string Path, TarEntryType Type, string Text)[] entries)
    {
        using var bytes = new MemoryStream();
        await using (var writer = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (path, type, text) in entries)
            {
                System.Formats.Tar.TarEntry entry = path.Length > 100 ? new PaxTarEntry(type, path) : new UstarTarEntry(type, path);
                entry.Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
                if (type == TarEntryType.SymbolicLink) entry.LinkName = text;
                else if (type == TarEntryType.RegularFile) entry.DataStream = new MemoryStream(Encoding.ASCII.GetBytes(text));
                await writer.WriteEntryAsync(entry);
            }
        }

        return bytes.ToArray();
    }

    private static Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> Pieces(byte[] bytes, int size)
    {
        var at = 0;
        return _ =>
        {
            var piece = bytes.AsMemory(at, Math.Min(size, bytes.Length - at));
            at += piece.Length;
            return new(piece);
        };
    }

    private static async Task<List<(FunctionsBackup.Components.PostgreSql.Protocol.TarEntry Entry, string Text)>> ReadAsync(byte[] archive, int piece)
    {
        var reader = new OurTarReader(Pieces(archive, piece));
        var seen = new List<(FunctionsBackup.Components.PostgreSql.Protocol.TarEntry, string)>();
        while (await reader.NextAsync(CancellationToken.None) is { } entry)
        {
            var text = new StringBuilder();
            for (var bytes = await reader.ReadAsync(CancellationToken.None); !bytes.IsEmpty; bytes = await reader.ReadAsync(CancellationToken.None))
                text.Append(Encoding.Latin1.GetString(bytes.Span));
            seen.Add((entry, text.ToString()));
        }

        return seen;
    }
}
