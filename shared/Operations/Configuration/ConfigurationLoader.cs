using FunctionsBackup.Operations.Configuration.Yaml;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>Loads <c>backup_config.yaml</c> against the table of settings, with the environment's overrides.</summary>
public sealed class ConfigurationLoader
{
    private readonly string _source;
    private readonly SettingParser _parser;
    private readonly Dictionary<string, Setting> _settings = Settings.All.ToDictionary(s => s.Path);
    private readonly Dictionary<string, SortedSet<string>> _groups = [];
    private readonly Dictionary<string, EffectiveSetting> _values = [];
    private readonly Dictionary<string, YamlScalar> _places = [];
    private readonly List<ConfigurationError> _errors = [];

    private ConfigurationLoader(string source, string folder)
    {
        _source = source;
        _parser = new SettingParser(folder);
        foreach (var path in _settings.Keys)
        {
            for (var child = path; ;)
            {
                var dot = child.LastIndexOf('.');
                var group = dot < 0 ? "" : child[..dot];
                if (!_groups.TryGetValue(group, out var names)) _groups[group] = names = new SortedSet<string>(StringComparer.Ordinal);
                names.Add(child[(dot + 1)..]);
                if (dot < 0) break;
                child = group;
            }
        }
    }

    /// <summary>Reads the file and checks all of it.</summary>
    /// <param name="file">As the user named it; errors repeat it so.</param>
    /// <param name="environment">Variables; those that begin with <see cref="EnvironmentOverrides.Prefix"/> override.</param>
    /// <exception cref="ConfigurationException">It cannot be used: every error that was found, with line and column.</exception>
    public static BackupConfiguration LoadFile(string file, IReadOnlyDictionary<string, string> environment)
    {
        var text = ReadText(file);
        return Parse(text, file, Path.GetDirectoryName(Path.GetFullPath(file))!, environment);
    }

    /// <summary>The same from a text; <paramref name="folder"/> is where relative paths start.</summary>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public static BackupConfiguration Parse(string text, string source, string folder, IReadOnlyDictionary<string, string> environment)
    {
        var loader = new ConfigurationLoader(source, folder);
        loader.ReadRoot(YamlReader.Read(source, text));
        foreach (var (setting, from, value) in EnvironmentOverrides.Read(environment, loader._errors))
            if (loader._parser.Parse(setting, value, from, loader._errors) is { } parsed)
                loader._values[setting.Path] = new EffectiveSetting(setting, parsed, from);
        loader.AddDefaults();
        loader.CheckTogether();
        if (loader._errors.Count > 0) throw new ConfigurationException(loader._errors);
        return new BackupConfiguration(source, folder, loader._values);
    }

    private static string ReadText(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var bytes = new byte[YamlReader.MaximumBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > YamlReader.MaximumBytes)
                throw new ConfigurationException(
                    [new ConfigurationError(file, 0, 0, "the configuration is larger than 1 MiB; is this the right file?")]);
            return new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length).TrimStart('\uFEFF');
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException(
                $"There is no configuration file {file}; create it, or name another with --config FILE or FBACKUP_CONFIG.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The configuration file {file} cannot be read: {e.Message}", e);
        }
        catch (System.Text.DecoderFallbackException e)
        {
            throw new ConfigurationException(
                [new ConfigurationError(file, 0, 0, $"the file is not UTF-8 text (byte {e.Index}); save it as UTF-8.")]);
        }
    }

    private void ReadRoot(YamlValue root)
    {
        if (root is not YamlMapping mapping)
        {
            Fail(root, $"the file must begin with '{Settings.Root}:', not with {root.Kind}.");
            return;
        }

        var found = false;
        foreach (var (key, value) in mapping.Entries)
        {
            if (key.Text != Settings.Root) Fail(key, $"unknown key '{Printable(key.Text)}'; everything stands under '{Settings.Root}:'.");
            else if (found) Fail(key, $"'{Settings.Root}' stands here a second time; merge the two.");
            else ReadGroup("", value);
            found |= key.Text == Settings.Root;
        }

        if (!found && _errors.Count == 0) Fail(root, $"the key '{Settings.Root}:' is missing; everything stands under it.");
    }

    private void ReadGroup(string path, YamlValue value)
    {
        if (value is YamlScalar { IsNull: true }) return;
        var what = path.Length == 0 ? Settings.Root : path;
        if (value is not YamlMapping mapping)
        {
            Fail(value, $"{what} must be a group of keys, not {value.Kind}.");
            return;
        }

        var seen = new Dictionary<string, YamlScalar>();
        foreach (var (key, item) in mapping.Entries)
        {
            if (!seen.TryAdd(key.Text, key))
            {
                Fail(key, $"'{Printable(key.Text)}' stands in {what} twice, first on line {seen[key.Text].Line}; remove one.");
                continue;
            }

            var child = path.Length == 0 ? key.Text : $"{path}.{key.Text}";
            if (!_groups[path].Contains(key.Text)) FailUnknown(path, what, key);
            else if (_settings.TryGetValue(child, out var setting)) ReadSetting(setting, key, item);
            else ReadGroup(child, item);
            _places.TryAdd(child, key);
        }
    }

    private void ReadSetting(Setting setting, YamlScalar key, YamlValue value)
    {
        if (_parser.Parse(
            setting, value is YamlScalar { IsNull: true } ? key with { Text = "", Quoted = false } : value, _source, _errors) is { } parsed)
            _values[setting.Path] = new EffectiveSetting(setting, parsed, $"{_source}:{key.Line}");
    }

    private void AddDefaults()
    {
        foreach (var setting in Settings.All)
        {
            if (_values.ContainsKey(setting.Path)) continue;
            var value = setting.Default is { } text
                ? _parser.Parse(setting, new YamlScalar(text, Quoted: false, 0, 0), $"default of {setting.Path}", _errors)
                : null;
            _values[setting.Path] = new EffectiveSetting(setting, value, "default");
        }
    }

    /// <summary>What no setting can be checked for alone.</summary>
    private void CheckTogether()
    {
        foreach (var group in _values.Values.Where(v => !v.IsDefault).Select(v => v.Setting.Group).Concat(_places.Keys).Distinct().ToList())
            foreach (var setting in Settings.All.Where(s => s.Required && s.Group == group && _values[s.Path].Value is null))
                if (!_places.ContainsKey(setting.Path)) FailAt(group, $"{setting.Path} is missing; {Lower(setting.Documentation)}");
        foreach (var key in new[] { "keys.passphrase", "keys.keyvault", "keys.kms", "keys.recovery_key" })
            if (_values["keys.writer"].Value is not null && _values[key].Value is not null)
                FailAt(key, $"keys.writer is for a host that only writes, but {key} is set too, which reads; remove one of the two.");
        foreach (var (path, value) in _values.Where(v => v.Key.EndsWith(".subjects", StringComparison.Ordinal)))
            if (_values["keys.writer"].Value is not null && value.Value is not null)
                FailAt(path, $"{path} needs the keys of data subjects, which a host that only writes (keys.writer) has not; remove one of the two.");
        foreach (var key in new[] { "keys.passphrase", "keys.keyvault", "keys.kms", "keys.writer" })
            if (_values["global.encryption"].Value is false && _values[key].Value is not null)
                FailAt("global.encryption", $"global.encryption is false, but {key} is set; remove one of the two.");
        if (_values["keys.keyvault"].Value is string vault
            && (!vault.StartsWith("https://", StringComparison.Ordinal) || !new Uri(vault).AbsolutePath.StartsWith("/keys/", StringComparison.Ordinal)))
            FailAt("keys.keyvault", "keys.keyvault must be the address of a key, as in https://VAULT.vault.azure.net/keys/NAME.");
        if (_values["keys.kms"].Value is string kms && (!kms.StartsWith("arn:", StringComparison.Ordinal) || kms.Split(':').Length != 6))
            FailAt("keys.kms", "keys.kms must be the ARN of a key, as in arn:aws:kms:REGION:ACCOUNT:key/ID, or of an alias.");
        if (_values["keys.kms_endpoint"].Value is string endpoint && new Uri(endpoint) is { Scheme: "http", IsLoopback: false })
            FailAt("keys.kms_endpoint", "keys.kms_endpoint must be an https:// address: keys travel over it.");
        CheckReplicas();
        foreach (var component in Settings.Components) CheckSources(component);
        if (_values["components.postgres.mode"].Value is "direct" && _values["components.postgres.data_directory"].Value is null)
            FailAt("components.postgres.mode",
                "components.postgres.mode is direct, which needs data_directory; set it, or use mode: auto.");
    }

    /// <summary>A component of files lies in folders or in buckets.</summary>
    private void CheckSources(string component)
    {
        var prefix = $"components.{component}.";
        if (!_values.TryGetValue(prefix + "paths", out var paths) || !_values.TryGetValue(prefix + "buckets", out var buckets)) return;
        var asked = _values.Any(v => v.Key.StartsWith(prefix, StringComparison.Ordinal) && !v.Value.IsDefault) || _places.ContainsKey(prefix.TrimEnd('.'));
        if (buckets.Value is not IReadOnlyList<string> names)
        {
            if (component == "configuration" && !ConfigurationSourceSettings.From(path => _values.GetValueOrDefault(path)?.Value).IsEmpty) return;
            if (asked && paths.Value is null && !_places.ContainsKey(prefix + "paths") && !_places.ContainsKey(prefix + "buckets"))
                FailAt(prefix.TrimEnd('.'), $"{prefix}paths is missing; {Lower(paths.Setting.Documentation)}");
            return;
        }

        if (paths.Value is not null)
            FailAt(prefix + "buckets", $"{prefix}paths and {prefix}buckets are both set; what lies in folders and what lies in buckets are components of their own.");
        if (names.Count == 0) FailAt(prefix + "buckets", $"{prefix}buckets must name at least one bucket.");
        var known = _values["buckets"].Value as IReadOnlyList<ReplicaSettings> ?? [];
        foreach (var name in names.Where(n => known.All(k => k.Name != n)))
            FailAt(prefix + "buckets", NearestName.Find(name, known.Select(k => k.Name)) is { } near
                ? $"{prefix}buckets names '{Printable(name)}', which is not under buckets; did you mean '{near}'?"
                : $"{prefix}buckets names '{Printable(name)}', which is not under buckets; add it there.");
        if (names.Distinct().Count() < names.Count) FailAt(prefix + "buckets", $"{prefix}buckets names a bucket twice.");
    }

    private void CheckReplicas()
    {
        if (_values["replication.replicas"].Value is not IReadOnlyList<ReplicaSettings> replicas) return;
        var backend = _values["global.storage_backend"].Value as string ?? "";
        var storage = _values.Where(v => v.Key.StartsWith("storage.", StringComparison.Ordinal)).ToDictionary(v => v.Key, v => v.Value.Value);
        if (_errors.Count > 0) return; // values may be missing
        var primary = StorageSettings.From(storage.GetValueOrDefault);
        for (var i = 0; i < replicas.Count; i++)
        {
            if (replicas[i].IsSamePlace(backend, primary))
                FailAt("replication.replicas", $"{replicas[i].Where} is the same place as the repository itself; a copy must be elsewhere.");
            if (replicas.Take(i).FirstOrDefault(r => replicas[i].IsSamePlace(r.StorageBackend, r.Storage)) is { } other)
                FailAt("replication.replicas", $"{replicas[i].Where} is the same place as {other.Where}; give each a place of its own.");
        }
    }

    private void FailAt(string path, string message)
    {
        var key = _places.GetValueOrDefault(path);
        _errors.Add(new ConfigurationError(_source, key?.Line ?? 0, key?.Column ?? 0, message));
    }

    private void FailUnknown(string path, string what, YamlScalar key)
    {
        var known = _groups[path];
        var elsewhere = _settings.Keys.Concat(_groups.Keys).FirstOrDefault(p => p.EndsWith("." + key.Text, StringComparison.Ordinal));
        var mend = NearestName.Find(key.Text, known) is { } near ? $"did you mean '{near}'?"
            : elsewhere is not null ? $"it belongs at {elsewhere}."
            : $"known here: {string.Join(", ", known)}.";
        Fail(key, $"unknown key '{Printable(key.Text)}' in {what}; {mend}");
    }

    private void Fail(YamlValue at, string message) => _errors.Add(new ConfigurationError(_source, at.Line, at.Column, message));

    private static string Lower(string sentence) => char.ToLowerInvariant(sentence[0]) + sentence[1..];

    /// <summary>A key as it may be repeated on a terminal.</summary>
    internal static string Printable(string text)
    {
        var clean = new string([.. text.Take(40).Select(c => char.IsControl(c) ? '?' : c)]);
        return text.Length > 40 ? clean + "…" : clean;
    }
}
