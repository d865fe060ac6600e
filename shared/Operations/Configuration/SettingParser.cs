using System.Globalization;
using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Operations.Configuration.Yaml;
using FunctionsBackup.Operations.Scheduling;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>Turns a value of the file into the setting's value in memory, or says what is wrong with it. Never repeats what may be a
/// secret.</summary>
/// <param name="folder">The folder that relative paths start from.</param>
internal sealed class SettingParser(string folder)
{
    /// <summary>The value, or null with at least one error added.</summary>
    public object? Parse(Setting setting, YamlValue value, string source, List<ConfigurationError> errors)
    {
        var before = errors.Count;
        var result = setting.Kind switch
        {
            SettingKind.Paths or SettingKind.Globs or SettingKind.Subjects => ParseList(setting, value, Wrong),
            SettingKind.Compression when value is YamlMapping mapping => ParseCompression(mapping, Wrong),
            SettingKind.Replicas => new ReplicaParser(this, source, errors, ReplicaSettings.Replica).Parse(setting, value),
            SettingKind.Buckets => new ReplicaParser(this, source, errors, ReplicaSettings.Bucket).Parse(setting, value),
            SettingKind.Reserved when value is YamlMapping or YamlScalar { IsNull: true } => "",
            SettingKind.Reserved => Wrong(value, $"must be a group of keys, not {value.Kind}"),
            _ => ParseScalar(setting, value, Wrong),
        };
        return errors.Count == before ? result : null;

        object? Wrong(YamlValue at, string what)
        {
            errors.Add(new ConfigurationError(source, at.Line, at.Column, $"{setting.Path} {what}."));
            return null;
        }
    }

    private object? ParseScalar(Setting setting, YamlValue value, Func<YamlValue, string, object?> wrong)
    {
        if (value is not YamlScalar scalar) return wrong(value, $"must be {Describe(setting)}, not {value.Kind}");
        if (scalar.IsNull) return wrong(value, $"has no value; it must be {Describe(setting)}, or remove the line");
        var text = scalar.Text;
        switch (setting.Kind)
        {
            case SettingKind.Boolean:
                return scalar.Quoted || text is not ("true" or "false") ? wrong(value, "must be true or false") : text == "true";
            case SettingKind.Integer:
                return !scalar.Quoted
                    && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    && number >= setting.Minimum && number <= setting.Maximum
                        ? number
                        : wrong(value, $"must be {Describe(setting)}");
            case SettingKind.Word:
                if (setting.Words.Contains(text)) return text;
                var near = NearestName.Find(text, setting.Words) is { } meant ? $"; did you mean {meant}?" : "";
                return wrong(value, $"must be {Describe(setting)}{near.TrimEnd('?')}");
            case SettingKind.Secret:
                return SecretReference.TryParse(text, out var secret)
                    ? secret.Kind == SecretKind.File ? secret with { Name = Absolute(secret.Name) } : secret
                    : wrong(value, "must be a reference, not the secret itself: write env:NAME, file:PATH or keyvault:NAME");
            case SettingKind.Cron:
                return CronSchedule.TryParse(text, out var schedule) is { } cronProblem ? wrong(value, cronProblem) : schedule;
            case SettingKind.Duration:
                return Duration.TryParse(text, out var duration) ? duration : wrong(value, $"must be {Describe(setting)}");
            case SettingKind.TimeZone:
                return TimeZones.TryFind(text, out var zone) is { } zoneProblem ? wrong(value, zoneProblem) : zone;
            case SettingKind.Compression:
                return CompressionSetting.TryParse(text, out var compression) is { } problem ? wrong(value, problem) : compression;
            case SettingKind.Url:
                if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https" or "ws" or "wss")
                    || uri.Host.Length == 0)
                    return wrong(value, "must be an http:// or https:// address");
                return uri.UserInfo.Length > 0 ? wrong(value, "must not hold a user name or password; remove what stands before the @")
                    : text;
            case SettingKind.Path:
                return text.Contains('\0') || text.Length > 4096 ? wrong(value, "must be a path of at most 4096 characters")
                    : Absolute(text);
            default:
                return text.Length > 1024 || text.Any(char.IsControl) ? wrong(value, "must be one line of at most 1024 characters") : text;
        }
    }

    private object? ParseList(Setting setting, YamlValue value, Func<YamlValue, string, object?> wrong)
    {
        if (value is not YamlList list) return wrong(value, $"must be a list in square brackets, not {value.Kind}");
        if (list.Items.Count == 0 && setting.Kind == SettingKind.Paths) return wrong(value, "must name at least one path");
        var texts = new List<string>();
        foreach (var item in list.Items)
        {
            if (item is not YamlScalar { IsNull: false, Text: { Length: > 0 and <= 4096 } text } || text.Contains('\0'))
                wrong(item, "must be a list of texts, none of them empty");
            else if (setting.Kind == SettingKind.Subjects && text.Split("{subject}").Length != 2)
                wrong(item, "must be paths with {subject} once in each, where the name of the data subject stands");
            else
                texts.Add(setting.Kind == SettingKind.Paths ? Absolute(text) : text);
        }

        return texts;
    }

    private static object? ParseCompression(YamlMapping mapping, Func<YamlValue, string, object?> wrong)
    {
        string? algorithm = null;
        int? level = null;
        foreach (var (key, value) in mapping.Entries)
        {
            switch (key.Text, value)
            {
                case ("algorithm", YamlScalar { IsNull: false } scalar) when algorithm is null:
                    algorithm = scalar.Text;
                    break;
                case ("level", YamlScalar { Quoted: false } scalar) when level is null && int.TryParse(scalar.Text, out var number):
                    level = number;
                    break;
                default:
                    return wrong(key, "must be one algorithm and one level, as in { algorithm: zstd, level: 6 }");
            }
        }

        if (algorithm is null) return wrong(mapping, "must name its algorithm, as in { algorithm: zstd, level: 6 }");
        return CompressionSetting.TryCreate(algorithm, level, out var setting) is { } problem ? wrong(mapping, problem) : setting;
    }

    private string Absolute(string path) =>
        Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
            ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + path[1..]
            : Path.Combine(folder, path));

    private static string Describe(Setting setting) => setting.Kind switch
    {
        SettingKind.Boolean => "true or false",
        SettingKind.Integer when setting.Maximum < int.MaxValue => $"a whole number from {setting.Minimum} to {setting.Maximum}",
        SettingKind.Integer => "a whole number",
        SettingKind.Word => string.Join(", ", setting.Words.SkipLast(1)) + " or " + setting.Words[^1],
        SettingKind.Secret => "a reference: env:NAME, file:PATH or keyvault:NAME",
        SettingKind.Cron => "a schedule such as \"0 2 * * *\"",
        SettingKind.Duration => "a length of time with its unit, as in 90s, 15m, 2h or 30d",
        SettingKind.TimeZone => "the IANA name of a time zone, as in Europe/Berlin",
        SettingKind.Path => "a path",
        SettingKind.Url => "an http:// or https:// address",
        _ => "a text",
    };
}
