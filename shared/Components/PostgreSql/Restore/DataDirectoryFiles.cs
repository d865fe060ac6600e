using System.Text;
using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>
/// Makes files, directories and links in a restored data directory with the owner and the access that its own have: 0700 and 0600, or 0750
/// and 0640 (PostgreSQL manual, initdb --allow-group-access).
/// </summary>
internal sealed class DataDirectoryFiles
{
    private readonly string _root;
    private readonly uint _user;
    private readonly uint _group;

    /// <param name="root">The data directory; exists.</param>
    /// <param name="mode">Its permission bits.</param>
    /// <param name="user">Its owner.</param>
    /// <param name="group">Its group.</param>
    public DataDirectoryFiles(string root, uint mode, uint user, uint group)
    {
        _root = root;
        // Nothing else is accepted by a server, whatever was recorded.
        DirectoryMode = (mode & 0b000_101_000) == 0b000_101_000 ? 0b111_101_000u : 0b111_000_000u;
        (_user, _group) = Accounts.IsRoot ? (user, group) : (Accounts.CurrentUser, Accounts.CurrentGroup);
    }

    private uint DirectoryMode { get; }

    private uint FileMode => DirectoryMode & 0b110_110_110u;

    /// <summary>Gives a directory (absolute, or below the root) the owner and access of a data directory, making it if it is not there.</summary>
    public void EnsureDirectory(string path)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(full);
        using var directory = Open(full, OpenFlags.ReadOnly | OpenFlags.Directory);
        Own(directory, DirectoryMode, full);
    }

    /// <summary>Writes a whole file, replacing one that is there: complete or not at all, and durable.</summary>
    /// <returns>Its bytes.</returns>
    public async ValueTask<long> WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var full = Path.Combine(_root, path);
        var temporary = full + ".fbackup-tmp"; // in a name of a kind that no server looks for
        var stream = new FileStream(temporary, NewFile());
        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(content, cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        using (var file = Open(temporary, OpenFlags.ReadOnly))
        {
            Own(file, FileMode, temporary);
            PosixException.Check(FileCalls.Sync(file), "make durable", temporary);
        }

        File.Move(temporary, full, overwrite: true);
        return content.Length;
    }

    /// <summary>Makes a symbolic link, replacing one that is there.</summary>
    public void Link(string path, string target)
    {
        var full = Path.Combine(_root, path);
        if (new FileInfo(full).LinkTarget is not null) File.Delete(full);
        else if (Directory.Exists(full)) Directory.Delete(full); // empty, or this fails: its contents lie elsewhere
        File.CreateSymbolicLink(full, target);
        using var directory = Open(Path.GetDirectoryName(full)!, OpenFlags.ReadOnly | OpenFlags.Directory);
        if (Accounts.IsRoot)
            PosixException.Check(DirectoryCalls.SetOwner(directory, Encoding.UTF8.GetBytes(Path.GetFileName(full)), _user, _group), "give to its owner", full);
    }

    /// <summary>Removes a file or a link if it is there.</summary>
    public void Delete(string path) => File.Delete(Path.Combine(_root, path));

    /// <summary>Makes the names in a directory (relative; empty: the root) durable.</summary>
    public void Sync(string path)
    {
        using var directory = Open(Path.Combine(_root, path), OpenFlags.ReadOnly | OpenFlags.Directory);
        PosixException.Check(FileCalls.Sync(directory), "make durable", path);
    }

    private static FileStreamOptions NewFile() => new()
    {
        Mode = System.IO.FileMode.Create,
        Access = FileAccess.Write,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        BufferSize = 0,
    };

    private static Descriptor Open(string path, int flags)
    {
        PosixException.Check(PathCalls.Open(Encoding.UTF8.GetBytes(path), flags, out var file), "open", path);
        return file!;
    }

    private void Own(Descriptor file, uint mode, string path)
    {
        if (Accounts.IsRoot) PosixException.Check(FileCalls.SetOwner(file, _user, _group), "give to its owner", path);
        PosixException.Check(FileCalls.SetMode(file, mode), "set the access of", path);
    }
}
