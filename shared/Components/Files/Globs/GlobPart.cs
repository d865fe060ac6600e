using System.Text;

namespace FunctionsBackup.Components.Files.Globs;

/// <summary>Matches one component of a path against one part of a pattern.</summary>
internal static class GlobPart
{
    /// <exception cref="FormatException">A class is not closed, or the part ends with a lone backslash.</exception>
    internal static void Check(ReadOnlySpan<byte> part, string glob)
    {
        for (var at = 0; at < part.Length; at++)
        {
            if (part[at] == (byte)'\\')
            {
                if (++at == part.Length) throw new FormatException($"The glob '{glob}' has a part that ends with a lone backslash.");
                continue;
            }

            if (part[at] != (byte)'[') continue;
            var end = ClassEnd(part, at);
            if (end < 0) throw new FormatException($"The glob '{glob}' has a '[' without its ']'; write '\\[' for the character itself.");
            at = end;
        }
    }

    internal static bool IsMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name)
    {
        var (at, from) = (0, 0);
        var (retryAt, retryFrom) = (-1, 0);
        while (from < name.Length)
        {
            if (at < pattern.Length && pattern[at] == (byte)'*')
            {
                while (at < pattern.Length && pattern[at] == (byte)'*') at++;
                if (at == pattern.Length) return true;
                (retryAt, retryFrom) = (at, from);
            }
            else if (at < pattern.Length && MatchOne(pattern, ref at, name, ref from))
            {
                continue;
            }
            else if (retryAt >= 0)
            {
                (at, from) = (retryAt, ++retryFrom);
            }
            else
            {
                return false;
            }
        }

        while (at < pattern.Length && pattern[at] == (byte)'*') at++;
        return at == pattern.Length;
    }

    private static bool MatchOne(ReadOnlySpan<byte> pattern, ref int at, ReadOnlySpan<byte> name, ref int from)
    {
        switch (pattern[at])
        {
            case (byte)'?':
                // One character if the bytes are UTF-8, else one byte.
                Rune.DecodeFromUtf8(name[from..], out var rune, out var length);
                from += rune == Rune.ReplacementChar ? 1 : length;
                at++;
                return true;
            case (byte)'[':
                var end = ClassEnd(pattern, at);
                if (!IsInClass(pattern[(at + 1)..end], name[from])) return false;
                at = end + 1;
                from++;
                return true;
            case (byte)'\\':
                if (pattern[at + 1] != name[from]) return false;
                at += 2;
                from++;
                return true;
            default:
                if (pattern[at] != name[from]) return false;
                at++;
                from++;
                return true;
        }
    }

    // A ']' directly after '[' or '[!' is a member.
    private static int ClassEnd(ReadOnlySpan<byte> pattern, int start)
    {
        var at = start + 1;
        if (at < pattern.Length && pattern[at] is (byte)'!' or (byte)'^') at++;
        if (at < pattern.Length) at++;
        for (; at < pattern.Length; at++)
            if (pattern[at] == (byte)']') return at;
        return -1;
    }

    private static bool IsInClass(ReadOnlySpan<byte> members, byte value)
    {
        var negated = members[0] is (byte)'!' or (byte)'^';
        if (negated) members = members[1..];
        for (var at = 0; at < members.Length; at++)
        {
            if (at + 2 < members.Length && members[at + 1] == (byte)'-')
            {
                if (value >= members[at] && value <= members[at + 2]) return !negated;
                at += 2;
            }
            else if (members[at] == value)
            {
                return !negated;
            }
        }

        return negated;
    }
}
