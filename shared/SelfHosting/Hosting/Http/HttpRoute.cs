using FunctionsBackup.SelfHosting.Hosting.Discovery;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.SelfHosting.Hosting.Http;

/// <summary>Where an HTTP function answers.</summary>
/// <param name="Function">The function.</param>
/// <param name="Pattern">With the prefix of host.json.</param>
/// <param name="Methods">Upper-case; empty: all.</param>
/// <param name="Level">Who may call.</param>
internal sealed record HttpRoute(
    FunctionDescriptor Function, RoutePattern Pattern, IReadOnlyList<string> Methods, AuthorizationLevel Level)
{
    /// <summary>The types that a route's value can be bound to, and how.</summary>
    private static readonly Dictionary<Type, Func<string, object?>> Conversions = new()
    {
        [typeof(string)] = text => text,
        [typeof(int)] = text => int.TryParse(text, out var value) ? value : null,
        [typeof(long)] = text => long.TryParse(text, out var value) ? value : null,
        [typeof(Guid)] = text => Guid.TryParse(text, out var value) ? value : null,
        [typeof(bool)] = text => bool.TryParse(text, out var value) ? value : null,
    };

    /// <summary>Routes of all functions, checked against each other.</summary>
    /// <exception cref="HostingException">A route is not valid, two clash, or a parameter has no source.</exception>
    public static IReadOnlyList<HttpRoute> Read(FunctionCatalog catalog, string prefix)
    {
        var problems = new List<string>();
        var routes = new List<HttpRoute>();
        foreach (var function in catalog.Of(FunctionKind.Http))
            if (Read(function, prefix, problems) is { } route) routes.Add(route);
        foreach (var same in routes.GroupBy(r => r.Shape, StringComparer.OrdinalIgnoreCase))
            foreach (var (a, b) in same.SelectMany((a, i) => same.Skip(i + 1).Select(b => (a, b))))
                if (a.Methods.Count == 0 || b.Methods.Count == 0 || a.Methods.Intersect(b.Methods).Any())
                    problems.Add($"The functions '{a.Function.Name}' and '{b.Function.Name}' have the same route '{a.Pattern.RawText}'; change one.");
        return problems.Count == 0 ? routes : throw new HostingException(problems);
    }

    /// <summary>The value of a route's parameter; null if the text is no such value.</summary>
    public static object? Convert(FunctionParameter parameter, string text) => Conversions[parameter.Type](text);

    /// <summary>The pattern without the names of its parameters: what must differ.</summary>
    private string Shape => string.Join('/', Pattern.PathSegments.Select(s => string.Concat(s.Parts.Select(p => p switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternParameterPart { IsCatchAll: true } => "{*}",
        _ => "{}",
    }))));

    private static HttpRoute? Read(FunctionDescriptor function, string prefix, List<string> problems)
    {
        var trigger = (HttpTriggerAttribute)function.Trigger;
        var template = (trigger.Route ?? function.Name).Trim('/');
        RoutePattern pattern;
        try
        {
            pattern = RoutePatternFactory.Parse(string.Join('/', new[] { prefix, template }.Where(p => p.Length > 0)));
        }
        catch (RoutePatternException e)
        {
            problems.Add($"{function} has a route '{template}' that is not valid: {e.Message}");
            return null;
        }

        foreach (var parameter in function.Parameters.Where(p => p.Source == ParameterSource.Route))
        {
            if (pattern.GetParameter(parameter.Name) is null)
                problems.Add($"{function}: the parameter '{parameter.Name}' has no source; it is not in the route '{template}', and services come by the constructor.");
            else if (!Conversions.ContainsKey(parameter.Type))
                problems.Add($"{function}: the parameter '{parameter.Name}' is a {parameter.Type.Name}, which a route cannot give; use string, int, long, Guid or bool.");
        }

        return new HttpRoute(function, pattern, [.. (trigger.Methods ?? []).Select(m => m.ToUpperInvariant()).Distinct()], trigger.AuthLevel);
    }
}
