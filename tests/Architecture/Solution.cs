using System.Reflection;
using System.Xml.Linq;

namespace FunctionsBackup.Tests.Architecture;

/// <summary>The source tree that these tests were built from.</summary>
internal static class Solution
{
    public static string Folder { get; } =
        typeof(Solution).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "SolutionFolder").Value!;

    /// <summary>All projects but the tests.</summary>
    public static IReadOnlyList<Project> Projects { get; } =
    [
        .. Files("*.csproj").Where(f => !f.StartsWith("tests/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(f => new Project(f)),
    ];

    /// <summary>Files of the tree, relative to <see cref="Folder"/>; what was built or belongs to git is left out.</summary>
    public static IEnumerable<string> Files(string pattern) =>
        Directory.EnumerateFiles(Folder, pattern, SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Folder, f))
            .Where(f => !f.Split('/').Any(part => part is "bin" or "obj" || part.StartsWith('.')));
}

/// <param name="Path">Of the project file, relative to the solution's folder.</param>
internal sealed record Project(string Path)
{
    private readonly XDocument _document = XDocument.Load(System.IO.Path.Join(Solution.Folder, Path));

    /// <summary>What the rules call it: its folder's name.</summary>
    public string Name => System.IO.Path.GetFileName(Folder);

    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    public string AssemblyName => Property("AssemblyName") ?? System.IO.Path.GetFileNameWithoutExtension(Path);

    public string RootNamespace => Property("RootNamespace") ?? System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Project files that it names, relative to the solution's folder.</summary>
    public IEnumerable<string> ProjectReferences =>
        _document.Descendants("ProjectReference").Select(r => System.IO.Path.GetRelativePath(
            Solution.Folder, System.IO.Path.GetFullPath(System.IO.Path.Join(Solution.Folder, Folder, r.Attribute("Include")!.Value))));

    /// <summary>The namespaces' and types' side of it: what the compiled code really uses.</summary>
    public IEnumerable<string> AssemblyReferences => Assembly.Load(AssemblyName).GetReferencedAssemblies().Select(a => a.Name!);

    private string? Property(string name) => _document.Descendants(name).FirstOrDefault()?.Value;
}
