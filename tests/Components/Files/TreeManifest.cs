using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Tests.Components.Files;

/// <summary>One line per entry of a tree with everything that a restore promises, so that two trees can be compared.</summary>
public static class TreeManifest
{
    public static IReadOnlyList<string> Of(string path, bool withRootTime = true)
    {
        var warnings = new WarningList();
        using var root = WalkRoot.Find([path], warnings)[0];
        var lines = new List<string>();
        var firstNames = new Dictionary<ulong, string>();
        foreach (var entry in new TreeWalker(new WalkOptions(GlobSet.Parse([]), GlobSet.Parse([])), warnings).Walk(root))
        {
            var status = entry.Status;
            var name = ByteName.Display(entry.Path.AsSpan(Math.Min(entry.Path.Length, root.CatalogName.Length + 1)));
            entry.Directory.Open(out var directory).ShouldBe(PosixError.None);
            using var holder = directory!;
            var line = new StringBuilder($"{name} {entry.Kind} {Convert.ToString(status.Mode, 8)} {status.UserId}:{status.GroupId}");
            if (withRootTime || name.Length > 0) line.Append($" {status.ModifiedNanoseconds}");
            if (entry.Kind == EntryKind.SymbolicLink)
            {
                DirectoryCalls.ReadLink(holder, entry.Name, out var target).ShouldBe(PosixError.None);
                line.Append($" -> {ByteName.Display(target)}");
            }

            if (entry.Kind == EntryKind.File)
            {
                line.Append($" {status.Size} {Hash(holder, entry)}");
                if (status.Links > 1 && !firstNames.TryAdd(status.Inode, name)) line.Append($" = {firstNames[status.Inode]}");
            }

            if (entry.Kind is EntryKind.CharacterDevice or EntryKind.BlockDevice) line.Append($" {status.SpecialDevice}");
            AttributeCalls.ReadAll(holder, entry.Name, out var attributes).ShouldBe(PosixError.None);
            foreach (var (attribute, value) in attributes.Select(a => (ByteName.Display(a.Name.Span), Convert.ToHexString(a.Value.Span))).Order())
                line.Append($" {attribute}={value}");
            lines.Add(line.ToString());
        }

        warnings.ToList().ShouldBeEmpty();
        return lines;
    }

    // Holes are skipped, so that a sparse file of gigabytes takes no time.
    private static string Hash(Descriptor directory, WalkedEntry entry)
    {
        DirectoryCalls.Open(directory, entry.Name, OpenFlags.ReadOnly, 0, out var opened).ShouldBe(PosixError.None);
        using var file = opened!;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        for (var at = 0L; FileCalls.FindData(file, at, out at) == PosixError.None;)
        {
            FileCalls.FindHole(file, at, out var end).ShouldBe(PosixError.None);
            while (at < end)
            {
                FileCalls.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)), at, out var read).ShouldBe(PosixError.None);
                if (read == 0) break;

                // Zeros count as a hole, however they are stored.
                var bytes = buffer.AsSpan(0, read);
                for (var block = 0; block < read; block += 4096)
                {
                    var part = bytes.Slice(block, Math.Min(4096, read - block));
                    if (!part.ContainsAnyExcept((byte)0)) continue;
                    hash.AppendData(BitConverter.GetBytes(at + block));
                    hash.AppendData(part);
                }

                at += read;
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset())[..16];
    }
}
