using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Tests.SelfHosting.Contracts;

/// <summary>
/// The subset of the packages' types never has a member that they lack. Always: compared with a list that was compared with the packages.
/// Where the packages are on the machine (after an Azure build), also with them.
/// </summary>
public sealed class ContractTests
{
    /// <summary>Where the types are.</summary>
    private static readonly string[] Packages =
    [
        "microsoft.durabletask.abstractions", "microsoft.durabletask.client", "microsoft.azure.functions.worker.core",
        "microsoft.azure.functions.worker.extensions.abstractions", "microsoft.azure.functions.worker.extensions.durabletask",
        "microsoft.azure.functions.worker.extensions.timer", "microsoft.azure.functions.worker.extensions.http", "microsoft.azure.durabletask.core",
    ];

    private static IEnumerable<Type> Types => typeof(FunctionAttribute).Assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal);

    private static IEnumerable<string> Declared =>
        Types.SelectMany(t => ApiSignatures.Of(t, inherited: false)).Distinct().Order(StringComparer.Ordinal);

    [Fact]
    public void The_subset_is_the_one_that_was_compared_with_the_packages()
    {
        var file = Path.Combine(Folder(), "public-api.txt");
        if (Environment.GetEnvironmentVariable("FBACKUP_WRITE_API") is not null) File.WriteAllLines(file, Declared);
        Declared.ShouldBe(
            File.ReadAllLines(file),
            "If the change is meant, make an Azure build, see that the other test of this class passes, and write the list with FBACKUP_WRITE_API=1.");
    }

    [PackagesFact]
    public void Every_member_is_in_the_packages_with_the_same_signature()
    {
        var assemblies = Packages.Select(Find).ToList();
        var known = assemblies.OfType<string>().Concat(Runtime()).DistinctBy(Path.GetFileName);
        using var context = new MetadataLoadContext(new PathAssemblyResolver(known));
        var real = assemblies.OfType<string>().SelectMany(a => context.LoadFromAssemblyPath(a).GetTypes())
            .Where(t => t.IsPublic).GroupBy(t => t.FullName!).ToDictionary(g => g.Key, g => g.First());
        var lacking = new List<string>();
        foreach (var type in Types)
        {
            if (!real.TryGetValue(type.FullName!, out var other))
            {
                lacking.Add($"type {type.FullName}");
                continue;
            }

            if (other.IsAbstract != type.IsAbstract || other.IsSealed != type.IsSealed || other.IsValueType != type.IsValueType)
                lacking.Add($"modifiers of {type.FullName}");
            lacking.AddRange(ApiSignatures.Of(type, inherited: false).Except(ApiSignatures.Of(other, inherited: true)));
        }

        lacking.ShouldBeEmpty();
    }

    /// <summary>The newest version on this machine; null: none.</summary>
    private static string? Find(string package)
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var folder = Path.Combine(packages, package);
        if (!Directory.Exists(folder)) return null;
        return Directory.EnumerateDirectories(folder).Where(d => Version.TryParse(Path.GetFileName(d), out _))
            .OrderByDescending(d => Version.Parse(Path.GetFileName(d)))
            .SelectMany(d => new[] { "net10.0", "net8.0", "net6.0", "netstandard2.1", "netstandard2.0" }.Select(f => Path.Combine(d, "lib", f)))
            .Where(Directory.Exists).SelectMany(d => Directory.EnumerateFiles(d, "*.dll")).FirstOrDefault();
    }

    /// <summary>The runtime's assemblies, ASP.NET Core's, and those of all packages that the compared ones refer to.</summary>
    private static IEnumerable<string> Runtime()
    {
        foreach (var anchor in new[] { typeof(object), typeof(Microsoft.AspNetCore.Http.HttpRequest) })
            foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(anchor.Assembly.Location)!, "*.dll")) yield return file;
        foreach (var package in new[] { "microsoft.durabletask.worker", "newtonsoft.json", "azure.core", "microsoft.bcl.asyncinterfaces" })
            if (Find(package) is { } file) yield return file;
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    /// <summary>Without the packages there is nothing to compare with; the list stands in for them.</summary>
    private sealed class PackagesFactAttribute : FactAttribute
    {
        public PackagesFactAttribute()
        {
            if (Packages.Any(p => Find(p) is null))
                Skip = "The packages of the Azure build are not on this machine; run scripts/check-azure-build.sh where they can be had.";
        }
    }
}
