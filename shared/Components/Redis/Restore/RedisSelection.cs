using FunctionsBackup.Components.Redis.Rdb;

namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>Which keys are restored, and how they are called then.</summary>
public sealed record RedisSelection
{
    /// <summary>Numbers of databases; empty: all.</summary>
    public IReadOnlyList<int> Databases { get; init; } = [];

    /// <summary>Pattern of keys (<see cref="RedisGlob"/>); empty: all.</summary>
    public ReadOnlyMemory<byte> Match { get; init; }

    /// <summary>Keys that begin so …; empty: all, with what is new put before them.</summary>
    public ReadOnlyMemory<byte> OldPrefix { get; init; }

    /// <summary>… begin so afterwards; others keep their names. Null: nothing is renamed.</summary>
    public ReadOnlyMemory<byte>? NewPrefix { get; init; }

    /// <summary>Whether it is all there is.</summary>
    public bool IsAll => Databases.Count == 0 && Match.IsEmpty;

    public bool Includes(in RdbRecord record) =>
        Includes(record.Database) && (Match.IsEmpty || RedisGlob.IsMatch(Match.Span, record.Key.Span));

    public bool Includes(int database) => Databases.Count == 0 || Databases.Contains(database);

    public ReadOnlyMemory<byte> NameOf(in RdbRecord record) => NewPrefix is { } prefix && record.Key.Span.StartsWith(OldPrefix.Span)
        ? (byte[])[.. prefix.Span, .. record.Key.Span[OldPrefix.Length..]]
        : record.Key;
}
