using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>An open file descriptor, closed exactly once. May be shared: a call in progress keeps it open.</summary>
public sealed class Descriptor : SafeHandle
{
    public Descriptor(int number) : base(-1, ownsHandle: true) => SetHandle(number);

    public override bool IsInvalid => handle < 0;

    /// <summary>The number, for messages and <c>/proc/self/fd</c>; valid only while this is open.</summary>
    public int Number => (int)handle;

    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
