using System.Text.Json;

namespace FunctionsBackup.SelfHosting.Hosting.Settings;

/// <summary>Reads the small JSON files that configure a host, as the tools of Azure Functions do: comments and trailing commas may stand
/// in them.</summary>
internal static class JsonSettingsFile
{
    private const int MaximumBytes = 1 << 20;

    /// <summary>Null: there is no such file.</summary>
    /// <exception cref="HostingException">It is no JSON object, is too large, or cannot be read.</exception>
    public static JsonElement? Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return null;
            if (file.Length > MaximumBytes) throw new HostingException($"{path} is larger than 1 MiB; is it the right file?");
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
            using var document = JsonDocument.Parse(File.ReadAllText(path), options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new HostingException($"{path} must hold a JSON object.");
        }
        catch (JsonException e)
        {
            throw new HostingException(
                $"{path} is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}; mend it there.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostingException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>What stands at a path of keys; null: nothing.</summary>
    public static JsonElement? At(this JsonElement element, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(key, out var child)) return null;
            element = child;
        }

        return element.ValueKind == JsonValueKind.Null ? null : element;
    }
}
