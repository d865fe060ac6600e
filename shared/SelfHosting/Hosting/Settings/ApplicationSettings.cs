using Microsoft.Extensions.Configuration;

namespace FunctionsBackup.SelfHosting.Hosting.Settings;

/// <summary>Settings by name: the environment's, else those of <c>local.settings.json</c>, else the application's own defaults.</summary>
internal sealed class ApplicationSettings
{
    public ApplicationSettings(
        IReadOnlyDictionary<string, string> defaults, IReadOnlyDictionary<string, string> local,
        IReadOnlyDictionary<string, string> environment) =>
        // "A__B" is "A:B", as everywhere in .NET.
        Configuration = new ConfigurationBuilder().AddInMemoryCollection(Of(defaults)).AddInMemoryCollection(Of(local))
            .AddInMemoryCollection(Of(environment)).Build();

    public IConfiguration Configuration { get; }

    /// <summary>A text in which each <c>%NAME%</c> is replaced by that setting.</summary>
    /// <param name="text">As it stands in an attribute.</param>
    /// <param name="what">What it is for, at the beginning of an error's sentence.</param>
    /// <exception cref="HostingException">There is no such setting.</exception>
    public string Resolve(string text, string what)
    {
        var parts = text.Split('%');
        if (parts.Length % 2 == 0) throw new HostingException($"{what} has a '%' without its other half: '{text}'.");
        for (var i = 1; i < parts.Length; i += 2)
        {
            var name = parts[i];
            parts[i] = Configuration[name.Replace("__", ":")] is { Length: > 0 } value
                ? value
                : throw new HostingException(
                    $"{what} needs the setting '{name}', which is not there; set it in the environment or in local.settings.json.");
        }

        return string.Concat(parts);
    }

    private static IEnumerable<KeyValuePair<string, string?>> Of(IReadOnlyDictionary<string, string> values) =>
        values.Where(v => !string.IsNullOrEmpty(v.Value)).Select(v => KeyValuePair.Create(v.Key.Replace("__", ":"), (string?)v.Value));
}
