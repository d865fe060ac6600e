using FunctionsBackup.Operations.Configuration.Yaml;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>Reads <c>replication.replicas</c> or <c>buckets</c>: a list of groups, each checked against the table of a place.</summary>
/// <param name="parser">Of single settings.</param>
/// <param name="source">The file.</param>
/// <param name="errors">Where mistakes go.</param>
/// <param name="noun">What an entry is called.</param>
internal sealed class ReplicaParser(SettingParser parser, string source, List<ConfigurationError> errors, string noun)
{
    private const int Maximum = 16;

    public IReadOnlyList<ReplicaSettings> Parse(Setting setting, YamlValue value)
    {
        var replicas = new List<ReplicaSettings>();
        if (value is not YamlList list)
        {
            Fail(value, $"{setting.Path} must be a list in square brackets, not {value.Kind}.");
            return replicas;
        }

        if (list.Items.Count > Maximum) Fail(value, $"{setting.Path} has {list.Items.Count} entries; more than {Maximum} are not supported.");
        foreach (var item in list.Items.Take(Maximum))
            if (ParseOne(item) is { } replica)
            {
                if (replicas.Exists(r => r.Name == replica.Name)) Fail(item, $"there are two {noun}s called {replica.Name}; give each a name of its own.");
                else replicas.Add(replica);
            }

        return replicas;
    }

    private ReplicaSettings? ParseOne(YamlValue item)
    {
        var what = noun == ReplicaSettings.Replica ? "replication.replicas" : "buckets";
        if (item is not YamlMapping mapping)
        {
            Fail(item, $"an entry of {what} must be a group of keys, not {item.Kind}.");
            return null;
        }

        var before = errors.Count;
        var values = new Dictionary<string, object?>();
        foreach (var (key, value) in mapping.Entries)
        {
            var known = ReplicaSettings.Table.FirstOrDefault(s => s.Path == key.Text);
            if (known is null)
            {
                var mend = NearestName.Find(key.Text, ReplicaSettings.Table.Select(s => s.Path)) is { } near ? $"did you mean '{near}'?"
                    : $"known here: {string.Join(", ", ReplicaSettings.Table.Select(s => s.Path))}.";
                Fail(key, $"unknown key '{ConfigurationLoader.Printable(key.Text)}' in {what}; {mend}");
            }
            else if (values.ContainsKey(key.Text))
            {
                Fail(key, $"'{key.Text}' stands in this {noun} twice; remove one.");
            }
            else
            {
                values[key.Text] = parser.Parse(known with { Path = $"{what}.{key.Text}" }, value is YamlScalar { IsNull: true } ? key with { Text = "", Quoted = false } : value, source, errors);
            }
        }

        if (errors.Count > before) return null;
        if (values.GetValueOrDefault("name") is not string name || name.Length > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            Fail(item, $"a {noun} needs a name of at most 64 letters, digits, '_' and '-'.");
            return null;
        }

        if (values.GetValueOrDefault("storage_backend") is not string backend)
        {
            Fail(item, $"{noun} {name} does not say its storage_backend; set it to {(noun == ReplicaSettings.Replica ? "filesystem, " : "")}s3 or azure_blob.");
            return null;
        }

        foreach (var setting in ReplicaSettings.Table)
            if (!values.ContainsKey(setting.Path) && setting.Default is { } text)
                values[setting.Path] = parser.Parse(setting, new YamlScalar(text, Quoted: false, 0, 0), $"default of {setting.Path}", errors);
        values.TryAdd("path", "");
        var replica = new ReplicaSettings(name, backend, StorageSettings.From(path => values.GetValueOrDefault(path["storage.".Length..]))) { Noun = noun };
        if (replica.FindProblem() is { } problem) Fail(item, problem);
        return replica;
    }

    private void Fail(YamlValue at, string message) => errors.Add(new ConfigurationError(source, at.Line, at.Column, message));
}
