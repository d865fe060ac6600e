using System.Reflection;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.SelfHosting.Hosting.Discovery;

/// <summary>The functions of some assemblies, found by their attributes and checked. Immutable.</summary>
public sealed class FunctionCatalog
{
    private FunctionCatalog(IReadOnlyList<FunctionDescriptor> functions) => Functions = functions;

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<FunctionDescriptor> Functions { get; }

    public IEnumerable<FunctionDescriptor> Of(FunctionKind kind) => Functions.Where(f => f.Kind == kind);

    /// <exception cref="HostingException">A function that could not run, or not on Azure: every problem that was found.</exception>
    public static FunctionCatalog Discover(IEnumerable<Assembly> assemblies) => Of(assemblies.SelectMany(a => a.GetTypes()));

    /// <inheritdoc cref="Discover"/>
    public static FunctionCatalog Of(IEnumerable<Type> types)
    {
        var problems = new List<string>();
        var functions = new List<FunctionDescriptor>();
        const BindingFlags Declared =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var method in types.SelectMany(t => t.GetMethods(Declared)))
            if (method.GetCustomAttribute<FunctionAttribute>() is { } attribute
                && FunctionReader.Read(method, attribute.Name, problems) is { } function)
                functions.Add(function);
        foreach (var same in functions.GroupBy(f => f.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
            problems.Add($"Two functions are called '{same.Key}': {string.Join(" and ", same.Select(f => f.EntryPoint))}; rename one.");
        if (problems.Count > 0) throw new HostingException(problems);
        return new FunctionCatalog([.. functions.OrderBy(f => f.Name, StringComparer.OrdinalIgnoreCase)]);
    }
}
