namespace FunctionsBackup.Tests.Architecture;

/// <summary>Arrows go one way only: who may know whom.</summary>
public sealed class ArrowTests
{
    /// <summary>For each project, all that it may use directly. Whoever adds a project adds a line.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Storage"] = [],
        ["S3"] = ["Storage"],
        ["AzureBlob"] = ["Storage"],
        ["Repository"] = ["Storage"],
        ["KeyVault"] = ["Repository"],
        ["Kms"] = ["Repository"],
        ["Operations"] = [],
        ["Components"] = ["Repository", "Storage", "Operations"],
        ["Contracts"] = [],
        ["SelfHosting"] = ["Contracts", "Operations"],
        ["orchestrations"] = ["Contracts", "Components", "Repository", "KeyVault", "Kms", "Storage", "S3", "AzureBlob", "Operations"],
        ["functions"] = ["Contracts", "orchestrations", "Components", "Repository", "Storage", "Operations", "SelfHosting"],
        ["cli"] = ["Contracts", "functions", "orchestrations", "Components", "Repository", "Storage", "Operations", "SelfHosting"],
    };

    public static TheoryData<string> Projects => [.. Solution.Projects.Select(p => p.Path)];

    [Fact]
    public void The_projects_are_found() => // an empty list would pass every test
        new[] { "Storage", "Repository", "Operations", "Components", "cli" }.ShouldBeSubsetOf(Solution.Projects.Select(p => p.Name));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_only_what_it_may(string path)
    {
        var project = Solution.Projects.Single(p => p.Path == path);
        Allowed.ShouldContainKey(project.Name, $"{path} has no rule: say in {nameof(ArrowTests)} what it may use.");
        var ours = Solution.Projects.ToDictionary(p => p.AssemblyName, p => p.Name);
        project.AssemblyReferences.Where(ours.ContainsKey).Select(a => ours[a])
            .ShouldBeSubsetOf(Allowed[project.Name], $"{path} uses what it may not know.");
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_file_names_only_what_it_may(string path)
    {
        var project = Solution.Projects.Single(p => p.Path == path);
        foreach (var reference in project.ProjectReferences)
        {
            var other = Solution.Projects.SingleOrDefault(p => p.Path == reference)
                .ShouldNotBeNull($"{path} refers to {reference}, which is no project for users.");
            Allowed[project.Name].ShouldContain(other.Name, $"{path} refers to {reference}, which it may not know.");
        }
    }

    [Fact]
    public void The_rules_have_no_circle()
    {
        var below = new HashSet<string>();
        while (below.Count < Allowed.Count)
        {
            var next = Allowed.Where(a => !below.Contains(a.Key) && a.Value.All(below.Contains)).Select(a => a.Key).ToList();
            next.ShouldNotBeEmpty();
            below.UnionWith(next);
        }
    }

    /// <summary>Of packages that the Azure build alone has; built by scripts/durable-parity.sh.</summary>
    private const string OutsideOfTheSolution = "tests/Parity/Real/Parity.Real.csproj";

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Join(Solution.Folder, "FunctionsBackup.sln")).Replace('\\', '/');
        Solution.Files("*.csproj").Where(p =>
            p != OutsideOfTheSolution && !solution.Contains($"\"{p}\"", StringComparison.Ordinal)).ShouldBeEmpty();
    }
}
