using System.Text.Json;

namespace FunctionsBackup.SelfHosting.Hosting.Settings;

/// <summary>The <c>Values</c> of <c>local.settings.json</c>: application settings of a machine, which is not checked in.</summary>
public static class LocalSettings
{
    /// <summary>Empty if there is no such file.</summary>
    /// <exception cref="HostingException">It is not valid.</exception>
    public static IReadOnlyDictionary<string, string> Load(string path)
    {
        if (JsonSettingsFile.Read(path) is not { } root) return new Dictionary<string, string>();
        if (root.At("IsEncrypted") is { ValueKind: JsonValueKind.True })
            throw new HostingException($"{path} is encrypted, which this host cannot read; run 'func settings decrypt'.");
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (root.At("Values") is not { } group) return values;
        if (group.ValueKind != JsonValueKind.Object) throw new HostingException($"{path}: Values must be an object of names and texts.");
        foreach (var entry in group.EnumerateObject())
        {
            if (entry.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                throw new HostingException($"{path}: Values may hold texts only, and '{entry.Name}' is none.");
            values[entry.Name] = entry.Value.ToString();
        }

        return values;
    }

    /// <summary>Makes them variables of this process, as the tools of Azure Functions do. What the environment has is kept.</summary>
    public static void AddToEnvironment(IReadOnlyDictionary<string, string> values)
    {
        foreach (var (name, value) in values)
            if (name.Length > 0 && !name.Contains('=') && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
                Environment.SetEnvironmentVariable(name, value);
    }
}
