using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.Configuration.Diffs;

/// <summary>Unified diffs of lines, by E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), with limits.</summary>
internal static class LineDiff
{
    private const int Context = 3;

    /// <summary>Beyond so many differences the rest counts as replaced: time and memory stay bounded.</summary>
    private const int MaximumEdits = 2000;

    /// <summary>The hunks, each line with its mark; empty if there is no difference.</summary>
    internal static string Unified(IReadOnlyList<string> old, IReadOnlyList<string> now)
    {
        var edits = Edits(old, now);
        var text = new StringBuilder();
        for (var at = 0; at < edits.Count;)
        {
            while (at < edits.Count && edits[at].Mark == ' ') at++;
            if (at == edits.Count) break;
            var begin = Math.Max(0, at - Context);
            var (end, equal) = (at, 0);
            while (end < edits.Count && equal <= 2 * Context) equal = edits[end++].Mark == ' ' ? equal + 1 : 0;
            end -= Math.Max(0, equal - Context);
            Write(text, edits, begin, end);
            at = end;
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, List<Edit> edits, int begin, int end)
    {
        var hunk = edits[begin..end];
        text.Append(CultureInfo.InvariantCulture,
            $"@@ -{Range(hunk[0].Old, hunk.Count(e => e.Mark != '+'))} +{Range(hunk[0].New, hunk.Count(e => e.Mark != '-'))} @@\n");
        foreach (var edit in hunk) text.Append(edit.Mark).Append(edit.Line).Append('\n');

        static string Range(int first, int count) => count == 0 ? $"{first},0" : $"{first + 1},{count}";
    }

    /// <summary>All lines of both, in order, each kept, removed or added.</summary>
    private static List<Edit> Edits(IReadOnlyList<string> old, IReadOnlyList<string> now)
    {
        var (first, oldEnd, newEnd) = (0, old.Count, now.Count);
        while (first < oldEnd && first < newEnd && old[first] == now[first]) first++;
        while (oldEnd > first && newEnd > first && old[oldEnd - 1] == now[newEnd - 1]) (oldEnd, newEnd) = (oldEnd - 1, newEnd - 1);
        var edits = new List<Edit>(old.Count + now.Count);
        for (var i = 0; i < first; i++) edits.Add(new Edit(' ', old[i], i, i));
        edits.AddRange(Middle(old, now, first, oldEnd, newEnd));
        for (var i = 0; oldEnd + i < old.Count; i++) edits.Add(new Edit(' ', old[oldEnd + i], oldEnd + i, newEnd + i));
        return edits;
    }

    private static List<Edit> Middle(IReadOnlyList<string> old, IReadOnlyList<string> now, int first, int oldEnd, int newEnd)
    {
        var (n, m) = (oldEnd - first, newEnd - first);
        var limit = Math.Min(n + m, MaximumEdits);
        // furthest[k + d]: how far the old lines are used up on diagonal k; one array for each number of edits, to find the way back.
        var trace = new List<int[]>();
        var before = new int[] { 0, 0, 0 };
        for (var d = 0; d <= limit; d++)
        {
            var furthest = new int[2 * d + 3];
            for (var k = -d; k <= d; k += 2)
            {
                var down = k == -d || (k != d && At(before, d - 1, k - 1) < At(before, d - 1, k + 1));
                var x = d == 0 ? 0 : down ? At(before, d - 1, k + 1) : At(before, d - 1, k - 1) + 1;
                while (x < n && x - k < m && x - k >= 0 && old[first + x] == now[first + x - k]) x++;
                furthest[k + d + 1] = x;
                if (k == n - m && x >= n)
                {
                    trace.Add(furthest);
                    return Back(trace, old, now, first, n, m);
                }
            }

            trace.Add(furthest);
            before = furthest;
        }

        return [
            .. Enumerable.Range(first, n).Select(i => new Edit('-', old[i], i, first)),
            .. Enumerable.Range(first, m).Select(i => new Edit('+', now[i], oldEnd, i)),
        ];
    }

    private static int At(int[] furthest, int d, int k) => k < -d || k > d ? -1 : furthest[k + d + 1];

    private static List<Edit> Back(List<int[]> trace, IReadOnlyList<string> old, IReadOnlyList<string> now, int first, int n, int m)
    {
        var edits = new List<Edit>();
        var (x, y) = (n, m);
        for (var d = trace.Count - 1; d > 0; d--)
        {
            var k = x - y;
            var down = k == -d || (k != d && At(trace[d - 1], d - 1, k - 1) < At(trace[d - 1], d - 1, k + 1));
            var from = down ? k + 1 : k - 1;
            var fromX = At(trace[d - 1], d - 1, from);
            var fromY = fromX - from;
            // Back along the diagonal to where the edit led.
            while (x > (down ? fromX : fromX + 1) && y > (down ? fromY + 1 : fromY)) Keep();
            if (down) edits.Add(new Edit('+', now[first + --y], first + x, first + y));
            else edits.Add(new Edit('-', old[first + --x], first + x, first + y));
        }

        while (x > 0 && y > 0) Keep();
        edits.Reverse();
        return edits;

        void Keep() => edits.Add(new Edit(' ', old[first + --x], first + x, first + --y));
    }

    /// <param name="Mark">Space, minus or plus.</param>
    /// <param name="Line">Without its end.</param>
    /// <param name="Old">Lines of the old text before it.</param>
    /// <param name="New">Lines of the new text before it.</param>
    private readonly record struct Edit(char Mark, string Line, int Old, int New);
}
