namespace FunctionsBackup.Operations.Configuration.Values;

public enum CompressionAlgorithm
{
    None,
    Zstd,
    Lz4,
    Gzip,
}

/// <summary>How blocks are compressed. <see cref="Level"/> is in the algorithm's own scale; null: its default (zstd 3, lz4 1, gzip
/// 6).</summary>
public sealed record CompressionSetting(CompressionAlgorithm Algorithm, int? Level = null)
{
    public override string ToString()
    {
        var name = Algorithm.ToString().ToLowerInvariant();
        return Level is { } level ? $"{name}:{level}" : name;
    }

    /// <summary>Reads <c>true</c>, <c>false</c>, <c>zstd</c> or <c>zstd:6</c>.</summary>
    /// <returns>What is wrong, with the mend; null if nothing is.</returns>
    internal static string? TryParse(string text, out CompressionSetting setting)
    {
        setting = new CompressionSetting(CompressionAlgorithm.Zstd);
        var colon = text.IndexOf(':');
        var name = colon < 0 ? text : text[..colon];
        if (colon < 0 && name == "true") return null;
        if (colon < 0 && name == "false") name = "none";
        int? level = null;
        if (colon >= 0)
        {
            if (!int.TryParse(text.AsSpan(colon + 1), out var number)) return "must have a whole number as its level, as in zstd:6";
            level = number;
        }

        return TryCreate(name, level, out setting);
    }

    internal static string? TryCreate(string name, int? level, out CompressionSetting setting)
    {
        setting = new CompressionSetting(CompressionAlgorithm.Zstd);
        (CompressionAlgorithm Algorithm, int Highest)? known = name switch
        {
            "none" => (CompressionAlgorithm.None, 0),
            "zstd" => (CompressionAlgorithm.Zstd, 22),
            "lz4" => (CompressionAlgorithm.Lz4, 12),
            "gzip" => (CompressionAlgorithm.Gzip, 9),
            _ => null,
        };
        if (known is not var (algorithm, highest)) return "must be true, false, zstd, lz4, gzip or none, with a level if wanted: zstd:6";
        if (level is not null && highest == 0) return "has no level when it is none; remove the level";
        if (level < 1 || level > highest) return $"must have a level from 1 to {highest} for {name}";
        setting = new CompressionSetting(algorithm, level);
        return null;
    }
}
