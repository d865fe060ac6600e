using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Walking;

/// <summary>
/// A directory that a walk came through, as a link to its parent: whoever reads its files later opens it again from the root, component by
/// component, so that no descriptor is held for files that wait.
/// </summary>
public sealed class WalkedDirectory
{
    private readonly byte[] _name;

    private WalkedDirectory(WalkedDirectory? parent, byte[] name) => (Parent, _name) = (parent, name);

    public WalkedDirectory? Parent { get; }

    /// <param name="path">Absolute, symbolic links resolved.</param>
    public static WalkedDirectory Root(byte[] path) => new(null, path);

    public WalkedDirectory Child(ReadOnlySpan<byte> name) => new(this, name.ToArray());

    /// <summary>Opens it without following a symbolic link below the root.</summary>
    public PosixError Open(out Descriptor? directory)
    {
        var chain = new Stack<WalkedDirectory>();
        for (var node = this; node is not null; node = node.Parent) chain.Push(node);
        var error = PathCalls.OpenDirectory(chain.Pop()._name, out directory);
        while (error == PosixError.None && chain.TryPop(out var node))
        {
            using var above = directory!;
            error = DirectoryCalls.OpenDirectory(above, node._name, out directory);
        }

        return error;
    }

    /// <summary>Opens it from its parent, which is open already.</summary>
    public PosixError OpenFrom(Descriptor parent, out Descriptor? directory) => DirectoryCalls.OpenDirectory(parent, _name, out directory);
}
