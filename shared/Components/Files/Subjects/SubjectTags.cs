using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Components.Files.Subjects;

/// <summary>Whose a file is.</summary>
/// <param name="Key">What its content is sealed with; null: nobody's.</param>
/// <param name="IsErased">It is of before its subject was erased, and is not stored again.</param>
internal readonly record struct SubjectTag(SubjectKey? Key, bool IsErased);

/// <summary>Finds the data subjects of files. Not for concurrent use.</summary>
internal sealed class SubjectTags(SubjectKeys keys, IReadOnlyList<string> patterns)
{
    private readonly List<SubjectPattern> _patterns = [.. patterns.Select(SubjectPattern.Parse)];
    private long _erased;

    /// <summary>What to say of files that were not stored; null: nothing.</summary>
    internal string? Warning => _erased == 0 ? null
        : $"{_erased} files are of data subjects that were erased, and older than that, so they were not stored again; delete them at the source.";

    /// <summary>Whose data a path holds, by the first pattern that fits; null: nobody's.</summary>
    internal static string? SubjectOf(IEnumerable<SubjectPattern> patterns, ReadOnlySpan<byte> catalogPath)
    {
        // The first component is the name of the path that is backed up, unless that is a file itself.
        var slash = catalogPath.IndexOf((byte)'/');
        var path = slash < 0 ? catalogPath : catalogPath[(slash + 1)..];
        foreach (var pattern in patterns)
            if (pattern.Match(path) is { } subject) return subject;
        return null;
    }

    internal ValueTask<SubjectTag> FindAsync(WalkedEntry entry, CancellationToken cancellationToken) =>
        entry.Kind == EntryKind.File ? FindAsync(entry.Path, entry.Status.ModifiedNanoseconds, cancellationToken) : default;

    /// <param name="path">In the catalog.</param>
    /// <param name="modified">When it was modified, nanoseconds since 1970.</param>
    /// <param name="cancellationToken">Stops.</param>
    internal async ValueTask<SubjectTag> FindAsync(byte[] path, long modified, CancellationToken cancellationToken)
    {
        if (_patterns.Count == 0 || SubjectOf(_patterns, path) is not { } subject) return default;
        var (key, erasedAt) = await keys.GetCurrentAsync(subject, cancellationToken).ConfigureAwait(false);
        if (erasedAt is { } at && modified < (at - DateTimeOffset.UnixEpoch).Ticks * 100)
        {
            _erased++;
            return new SubjectTag(null, true);
        }

        return new SubjectTag(key, false);
    }
}
