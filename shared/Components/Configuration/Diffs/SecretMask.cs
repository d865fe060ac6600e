using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FunctionsBackup.Components.Configuration.Diffs;

/// <summary>
/// What must not be shown of configuration: values of Kubernetes Secrets, of variables and of settings whose names say that they are
/// secret, and private keys. Each value becomes a mark that is the same for the same value within one diff, and tells nothing of it.
/// </summary>
internal sealed partial class SecretMask
{
    /// <summary>Nobody reads longer lines, and patterns are slow on them.</summary>
    private const int MaximumLine = 4096;

    private readonly Dictionary<string, int> _marks = new(StringComparer.Ordinal);

    /// <summary>The lines of a document that may be shown.</summary>
    /// <param name="path">Its path in the catalog: says what it is.</param>
    /// <param name="text">Its text.</param>
    internal List<string> Lines(string path, string text)
    {
        if (path.StartsWith("environment/", StringComparison.Ordinal) && SecretName().IsMatch(path[12..])) return [Mark(text)];
        if (path.StartsWith("key_vault/", StringComparison.Ordinal) && path.EndsWith(".value", StringComparison.Ordinal)) return [Mark(text)];
        if (path.StartsWith("kubernetes/", StringComparison.Ordinal) && path.Split('/') is [_, _, "secrets", ..]) text = MaskSecret(text);
        else if (path.StartsWith("app_configuration/", StringComparison.Ordinal) && path.Split('/') is [_, var key, ..] && SecretName().IsMatch(key))
            text = MaskProperty(text, "value");
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var shown = new List<string>(lines.Length);
        var isManifest = SecretManifest().IsMatch(text);
        var (inKey, inData) = (false, false);
        foreach (var line in lines)
        {
            if (line.Length > MaximumLine)
            {
                shown.Add(Mark(line, "long line"));
                continue;
            }

            if (line.Length > 0 && !char.IsWhiteSpace(line[0])) inData = isManifest && DataSection().IsMatch(line);
            else if (inData && line.Length > 0)
            {
                var key = DataKey().Match(line).Value;
                shown.Add(key + (key.Length < line.Length ? Mark(line[key.Length..].Trim()) : ""));
                continue;
            }

            if (line.Contains("-----END", StringComparison.Ordinal)) inKey = false;
            shown.Add(inKey ? Mark(line) : Assignment().Replace(PrivateKey().Replace(Address().Replace(line, m => m.Groups[1].Value + Mark(m.Groups[2].Value) + "@"), m => Mark(m.Value)),
                m => m.Groups[1].Value + Mark(m.Groups[2].Value)));
            if (line.Contains("-----BEGIN", StringComparison.Ordinal) && line.Contains("PRIVATE KEY", StringComparison.Ordinal)
                && !line.Contains("-----END", StringComparison.Ordinal)) inKey = true;
        }

        if (shown.Count > 0 && shown[^1].Length == 0) shown.RemoveAt(shown.Count - 1);
        return shown;
    }

    private string MaskSecret(string text) => Masked(text, root =>
    {
        foreach (var part in (string[])["data", "stringData"])
            if (root[part] is JsonObject data)
                foreach (var name in data.Select(p => p.Key).ToList()) data[name] = Mark(data[name]?.ToJsonString() ?? "");
    });

    private string MaskProperty(string text, string name) => Masked(text, root =>
    {
        if (root[name] is { } value) root[name] = Mark(value.ToJsonString());
    });

    /// <summary>What should be a document with secrets and is none is one secret.</summary>
    private string Masked(string text, Action<JsonObject> mask)
    {
        try
        {
            if (JsonNode.Parse(text) is JsonObject root)
            {
                mask(root);
                return root.ToJsonString(Readable);
            }
        }
        catch (JsonException)
        {
            return Mark(text);
        }

        return Mark(text);
    }

    private string Mark(string value, string what = "secret")
    {
        if (!_marks.TryGetValue(value, out var number)) _marks.Add(value, number = _marks.Count + 1);
        return $"({what} {number}, not shown)";
    }

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string Words = "pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|credential|connection[_-]?string|conn[_-]?str|dsn|auth";

    [GeneratedRegex(Words + "|_key$|^key$|database_url|redis_url|_url$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretName();

    // A manifest of a Secret in a file of YAML: everything below data and stringData.
    [GeneratedRegex(@"^kind:\s*[""']?Secret[""']?\s*$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex SecretManifest();

    [GeneratedRegex("^(?:data|stringData):", RegexOptions.CultureInvariant)]
    private static partial Regex DataSection();

    [GeneratedRegex(@"^\s+[\w.\-]+\s*:\s?", RegexOptions.CultureInvariant)]
    private static partial Regex DataKey();

    // password: x · "apiKey": "x" · LIVEKIT_API_SECRET=x · <add key="..Password" value="x"/>
    [GeneratedRegex("""((?:^|[\s"'{,;<\[])[\w.\-]*(?:""" + Words + """)[\w.\-]*["']?\s*(?:[:=]|=>|"\s*value\s*=)\s*)(\S.*)$""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Assignment();

    // postgres://user:secret@host
    [GeneratedRegex(@"(\w[\w+.\-]*://[^\s/:@]*:)([^\s/@]+)@", RegexOptions.CultureInvariant)]
    private static partial Regex Address();

    [GeneratedRegex("-----BEGIN [A-Z ]*PRIVATE KEY-----.*", RegexOptions.CultureInvariant)]
    private static partial Regex PrivateKey();
}
