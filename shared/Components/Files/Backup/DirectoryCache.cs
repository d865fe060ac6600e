using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>Keeps open the directory that was used last: files come in the order of a walk. Not for concurrent use.</summary>
internal sealed class DirectoryCache : IDisposable
{
    private WalkedDirectory? _node;
    private Descriptor? _directory;

    internal PosixError Open(WalkedDirectory node, out Descriptor? directory)
    {
        directory = _directory;
        if (ReferenceEquals(node, _node) && directory is not null) return PosixError.None;
        PosixError error;
        if (_directory is not null && ReferenceEquals(node.Parent, _node)) error = node.OpenFrom(_directory, out directory);
        else error = node.Open(out directory);
        _directory?.Dispose();
        (_node, _directory) = (node, directory);
        return error;
    }

    public void Dispose() => _directory?.Dispose();
}
