namespace FunctionsBackup.Operations.Configuration;

/// <summary>Finds the name that was probably meant.</summary>
public static class NearestName
{
    /// <summary>The candidate with the smallest edit distance, if it is near enough to be a slip; null otherwise.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        if (name.Length > 64) return null;
        string? best = null;
        var bestDistance = Math.Max(2, name.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var distance = Distance(name.ToLowerInvariant(), candidate);
            if (distance >= bestDistance) continue;
            (best, bestDistance) = (candidate, distance);
        }

        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours (optimal string alignment) between two short names.</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }

        return d[a.Length, b.Length];
    }
}
