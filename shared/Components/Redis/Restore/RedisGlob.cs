namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>Patterns of keys as KEYS and SCAN have them (util.c: <c>stringmatchlen</c>): <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[^a]</c>, <c>\</c>; on bytes.</summary>
public static class RedisGlob
{
    public static bool IsMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
    {
        // Where the last star was, and how much of the text it has taken: enough to go back to, as only the last one matters.
        var (p, t, star, mark) = (0, 0, -1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, mark) = (p++, t);
                continue;
            }

            if (p < pattern.Length && TryOne(pattern, ref p, text[t]))
            {
                t++;
                continue;
            }

            if (star < 0) return false;
            (p, t) = (star + 1, ++mark);
        }

        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }

    /// <summary>Matches one byte, and moves behind the element if it does.</summary>
    private static bool TryOne(ReadOnlySpan<byte> pattern, ref int at, byte value)
    {
        switch (pattern[at])
        {
            case (byte)'?':
                at++;
                return true;
            case (byte)'[':
                var matches = TryClass(pattern, at, value, out var next);
                if (matches) at = next;
                return matches;
            case (byte)'\\' when at + 1 < pattern.Length:
                if (pattern[at + 1] != value) return false;
                at += 2;
                return true;
            default:
                if (pattern[at] != value) return false;
                at++;
                return true;
        }
    }

    private static bool TryClass(ReadOnlySpan<byte> pattern, int at, byte value, out int next)
    {
        at++;
        var isNegated = at < pattern.Length && pattern[at] == '^';
        if (isNegated) at++;
        var found = false;
        while (at < pattern.Length && pattern[at] != ']')
        {
            if (pattern[at] == '\\' && at + 1 < pattern.Length)
            {
                at++;
                found |= pattern[at++] == value;
            }
            else if (at + 2 < pattern.Length && pattern[at + 1] == '-')
            {
                var (low, high) = (Math.Min(pattern[at], pattern[at + 2]), Math.Max(pattern[at], pattern[at + 2]));
                found |= value >= low && value <= high;
                at += 3;
            }
            else
            {
                found |= pattern[at++] == value;
            }
        }

        next = Math.Min(pattern.Length, at + 1);
        return found != isNegated;
    }
}
