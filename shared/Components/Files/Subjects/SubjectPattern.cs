using System.Text;
using System.Text.RegularExpressions;

namespace FunctionsBackup.Components.Files.Subjects;

/// <summary>
/// Tells from a file's path whose data it holds: a path with <c>{subject}</c> in place of the subject's name, which is part of one component of the
/// path, as in <c>calls/{subject}/**</c> or <c>**/caller-{subject}-*.wav</c>. <c>*</c> and <c>?</c> do not cross <c>/</c>, <c>**</c> as a component
/// does. Anchored at the path that is backed up. Where several names would fit, the shortest is taken.
/// </summary>
public sealed class SubjectPattern
{
    private const string Place = "{subject}";

    private readonly Regex _expression;

    private SubjectPattern(string text, Regex expression) => (Text, _expression) = (text, expression);

    public string Text { get; }

    /// <exception cref="FormatException">It is not a pattern; the message says why.</exception>
    public static SubjectPattern Parse(string text)
    {
        if (text.Split(Place).Length != 2) throw new FormatException($"The pattern '{text}' must have {Place} once, where the subject's name stands in paths.");
        var parts = text.TrimStart('/').Split('/');
        if (parts.Any(p => p is "" or "." or ".."))
            throw new FormatException($"The pattern '{text}' has a part that is empty, '.' or '..'; patterns are relative to the path that is backed up.");
        // Paths are bytes: one character for each, so that any bytes match.
        var expression = new StringBuilder("^");
        for (var i = 0; i < parts.Length; i++)
        {
            var isLast = i == parts.Length - 1;
            if (parts[i] == "**")
            {
                expression.Append(isLast ? ".+" : "(?:[^/]+/)*");
                continue;
            }

            if (parts[i].Contains("**", StringComparison.Ordinal)) throw new FormatException($"The pattern '{text}' has '**' beside other characters; it stands alone between slashes.");
            AppendPart(expression, parts[i]);
            if (!isLast) expression.Append('/');
        }

        // Without backtracking: a name that somebody chose cannot make it slow.
        return new SubjectPattern(text, new Regex(expression.Append('$').ToString(), RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant));
    }

    /// <summary>The name of the subject, or null.</summary>
    /// <param name="path">Relative to the path that is backed up.</param>
    public string? Match(ReadOnlySpan<byte> path)
    {
        var match = _expression.Match(Encoding.Latin1.GetString(path));
        return match.Success ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(match.Groups[1].Value)) : null;
    }

    private static void AppendPart(StringBuilder expression, string part)
    {
        var pieces = part.Split(Place);
        AppendWildcards(expression, pieces[0]);
        if (pieces.Length == 1) return;
        expression.Append("([^/]+?)");
        AppendWildcards(expression, pieces[1]);
    }

    private static void AppendWildcards(StringBuilder expression, string piece)
    {
        foreach (var b in Encoding.UTF8.GetBytes(piece))
            expression.Append((char)b switch { '*' => "[^/]*", '?' => "[^/]", var c => Regex.Escape(c.ToString()) });
    }
}
