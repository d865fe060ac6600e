using System.Collections;
using FunctionsBackup.Operations.Configuration.Yaml;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>
/// Settings from the environment: <c>FBACKUP__GLOBAL__PARALLEL_JOBS=8</c>. Names are case-insensitive; two underscores separate keys.
/// </summary>
public static class EnvironmentOverrides
{
    public const string Prefix = "FBACKUP__";

    /// <summary>The environment of this process.</summary>
    public static IReadOnlyDictionary<string, string> OfProcess()
    {
        var all = new Dictionary<string, string>();
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables()) all[(string)entry.Key] = (string?)entry.Value ?? "";
        return all;
    }

    internal static IEnumerable<(Setting Setting, string Source, YamlValue Value)> Read(
        IReadOnlyDictionary<string, string> environment, List<ConfigurationError> errors)
    {
        var byPath = Settings.All.ToDictionary(s => s.Path);
        foreach (var (name, text) in environment.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (!name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) continue;
            var source = $"environment variable {name}";
            var path = name[Prefix.Length..].ToLowerInvariant().Replace("__", ".");
            if (!byPath.TryGetValue(path, out var setting) || setting.Kind is SettingKind.Reserved or SettingKind.Replicas or SettingKind.Buckets)
            {
                var near = NearestName.Find(path, byPath.Keys) is { } meant ? $"; did you mean {byPath[meant].EnvironmentVariable}?"
                    : "; remove it.";
                errors.Add(new ConfigurationError(source, 0, 0, $"there is no setting '{path}'{near}"));
                continue;
            }

            YamlValue value = new YamlScalar(text, Quoted: false, 0, 0);
            if (setting.Kind is SettingKind.Paths or SettingKind.Globs or SettingKind.Subjects)
            {
                try
                {
                    value = text.TrimStart().StartsWith('[') ? YamlReader.Read(source, text) : new YamlList([value], 0, 0);
                }
                catch (ConfigurationException e)
                {
                    errors.AddRange(e.Errors);
                    continue;
                }
            }

            yield return (setting, source, value);
        }
    }
}
