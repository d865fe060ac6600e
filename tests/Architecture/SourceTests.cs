using System.Text.RegularExpressions;

namespace FunctionsBackup.Tests.Architecture;

/// <summary>House rules that the compiler does not check.</summary>
public sealed partial class SourceTests
{
    [Fact]
    public void Namespaces_follow_folders() => Offences((project, file, text) =>
    {
        if (project.Name == "Contracts") return null; // the namespaces of the packages whose types it declares
        var below = Path.GetRelativePath(project.Folder, Path.GetDirectoryName(file)!);
        var expected = below == "." ? project.RootNamespace : $"{project.RootNamespace}.{below.Replace('/', '.')}";
        var found = Namespace().Match(text);
        return found.Success && found.Groups[1].Value != expected ? $"is in namespace {found.Groups[1].Value}, not {expected}" : null;
    });

    [Fact]
    public void Time_comes_from_a_TimeProvider() => Offences((_, _, text) =>
        Clock().Match(text) is { Success: true } found ? $"asks {found.Value}; take a TimeProvider" : null);

    [Fact]
    public void Nothing_is_left_undone() => Offences((_, _, text) =>
        Undone().Match(text) is { Success: true } found ? $"has {found.Value}" : null);

    private static void Offences(Func<Project, string, string, string?> check)
    {
        var offences = new List<string>();
        var files = 0;
        foreach (var file in Solution.Files("*.cs"))
        {
            // The innermost project that the file lies in.
            var project = Solution.Projects.Where(p => file.StartsWith(p.Folder + "/", StringComparison.Ordinal))
                .MaxBy(p => p.Folder.Length);
            if (project is null) continue;
            files++;
            if (check(project, file, File.ReadAllText(Path.Join(Solution.Folder, file))) is { } offence) offences.Add($"{file} {offence}");
        }

        files.ShouldBeGreaterThan(20);
        offences.ShouldBeEmpty();
    }

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(DateTime|DateTimeOffset)\.(Utc)?Now\b")]
    private static partial Regex Clock();

    [GeneratedRegex(@"new NotImplementedException|\bTODO\b|\bFIXME\b|Thread\.Sleep\(")]
    private static partial Regex Undone();
}
