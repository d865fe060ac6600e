using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>The names in one directory, sorted as bytes; held in one block of memory. Not for concurrent use; reusable.</summary>
[SkipLocalsInit]
public sealed unsafe class DirectoryNames
{
    private const int BufferSize = 64 << 10;

    // linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, then the name, ended by NUL.
    private const int LengthAt = 16;
    private const int NameAt = 19;

    private byte[] _bytes = new byte[1024];
    private Name[] _names = new Name[32];
    private int _used;

    public int Count { get; private set; }

    /// <summary>The name at <paramref name="index"/>; in the block a NUL follows it.</summary>
    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(_names[index].Offset, _names[index].Length);

    /// <summary>
    /// Replaces what is held by the names in <paramref name="directory"/>, from its start, without <c>.</c> and <c>..</c>.
    /// </summary>
    public PosixError Read(Descriptor directory, byte[]? buffer = null)
    {
        Count = 0;
        _used = 0;
        buffer ??= NewBuffer();
        if (Libc.Seek(directory, 0, 0) < 0) return LastError();
        fixed (byte* into = buffer)
        {
            while (true)
            {
                var length = Libc.GetDirectoryEntries(directory, into, (nuint)buffer.Length);
                if (length == 0) break;
                if (length < 0) return LastError();
                for (var at = 0; at < length; at += *(ushort*)(into + at + LengthAt))
                    Add(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(into + at + NameAt));
            }
        }

        _names.AsSpan(0, Count).Sort(new ByteOrder(_bytes));
        return PosixError.None;
    }

    /// <summary>A buffer for <see cref="Read"/>, to share between readers that take turns.</summary>
    public static byte[] NewBuffer() => new byte[BufferSize];

    /// <summary>What statx tells of the name at <paramref name="index"/>.</summary>
    public PosixError Status(Descriptor directory, int index, out FileStatus status)
    {
        fixed (byte* name = &_bytes[_names[index].Offset]) return DirectoryCalls.Status(directory, name, out status);
    }

    private void Add(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8)) return;
        if (_used + name.Length + 1 > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + name.Length + 1));
        if (Count == _names.Length) Array.Resize(ref _names, Count * 2);
        name.CopyTo(_bytes.AsSpan(_used));
        _bytes[_used + name.Length] = 0;
        _names[Count++] = new Name(FirstBytes(name), _used, name.Length);
        _used += name.Length + 1;
    }

    // The first eight bytes as a number decide most comparisons without a look at the block.
    private static ulong FirstBytes(ReadOnlySpan<byte> name)
    {
        Span<byte> first = stackalloc byte[8];
        first.Clear();
        name[..Math.Min(8, name.Length)].CopyTo(first);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(first);
    }

    private static PosixError LastError() => (PosixError)Marshal.GetLastPInvokeError();

    private readonly record struct Name(ulong First, int Offset, int Length);

    private readonly struct ByteOrder(byte[] bytes) : IComparer<Name>
    {
        public int Compare(Name x, Name y) => x.First != y.First
            ? x.First.CompareTo(y.First)
            : bytes.AsSpan(x.Offset, x.Length).SequenceCompareTo(bytes.AsSpan(y.Offset, y.Length));
    }
}
