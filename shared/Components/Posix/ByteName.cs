using System.Text;

namespace FunctionsBackup.Components.Posix;

/// <summary>File names are bytes. This shows them to people and takes them from people; nothing else may turn them into strings.</summary>
public static class ByteName
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes of a path that a person or a configuration gave.</summary>
    public static byte[] Parse(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>
    /// UTF-8 as it is; control characters, backslashes and bytes that are no UTF-8 as <c>\xHH</c>, so that a message is one line.
    /// </summary>
    public static string Display(ReadOnlySpan<byte> name)
    {
        if (IsPlain(name)) return Encoding.ASCII.GetString(name);
        var text = new StringBuilder(name.Length + 16);
        while (!name.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(name, out var rune, out var length);
            if (status == System.Buffers.OperationStatus.Done && !Rune.IsControl(rune) && rune.Value != '\\') text.Append(rune.ToString());
            else foreach (var value in name[..length]) text.Append("\\x").Append(value.ToString("X2"));
            name = name[length..];
        }

        return text.ToString();
    }

    /// <summary>Whether the bytes are UTF-8, so that a string can stand for them.</summary>
    public static bool TryGetText(ReadOnlySpan<byte> name, out string text)
    {
        try
        {
            text = Strict.GetString(name);
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = "";
            return false;
        }
    }

    /// <summary>The part after the last <c>/</c>.</summary>
    public static ReadOnlySpan<byte> LastPart(ReadOnlySpan<byte> path) => path[(path.LastIndexOf((byte)'/') + 1)..];

    /// <summary>The part before the last <c>/</c>; empty if there is none.</summary>
    public static ReadOnlySpan<byte> Directory(ReadOnlySpan<byte> path) => path[..Math.Max(0, path.LastIndexOf((byte)'/'))];

    /// <summary><paramref name="directory"/>/<paramref name="name"/>; the name alone if the directory is empty.</summary>
    public static byte[] Join(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name)
    {
        if (directory.IsEmpty) return name.ToArray();
        var slash = directory[^1] == (byte)'/' ? 0 : 1;
        var joined = new byte[directory.Length + slash + name.Length];
        directory.CopyTo(joined);
        joined[directory.Length + slash - 1] = (byte)'/';
        name.CopyTo(joined.AsSpan(directory.Length + slash));
        return joined;
    }

    /// <summary>
    /// Whether a relative path can be created component by component without leaving its root: no empty, <c>.</c> or <c>..</c> component,
    /// no NUL, none longer than 255 bytes.
    /// </summary>
    public static bool IsSafeRelative(ReadOnlySpan<byte> path)
    {
        if (path.Contains((byte)0)) return false;
        foreach (var range in path.Split((byte)'/'))
        {
            var part = path[range];
            if (part.Length is 0 or > 255 || part.SequenceEqual("."u8) || part.SequenceEqual(".."u8)) return false;
        }

        return true;
    }

    private static bool IsPlain(ReadOnlySpan<byte> name)
    {
        foreach (var value in name)
            if (value is < 0x20 or > 0x7E or (byte)'\\') return false;
        return true;
    }
}
