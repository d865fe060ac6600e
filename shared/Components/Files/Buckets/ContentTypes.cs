namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>What files of a folder are called when they become objects: the kinds that a voice platform has.</summary>
internal static class ContentTypes
{
    /// <summary>By the ending of the name; null: no kind that is known here.</summary>
    public static string? Of(string key) => Path.GetExtension(key).ToLowerInvariant() switch
    {
        ".wav" => "audio/wav",
        ".ogg" or ".opus" => "audio/ogg",
        ".mp3" => "audio/mpeg",
        ".mp4" => "video/mp4",
        ".webm" => "video/webm",
        ".ts" => "video/mp2t",
        ".m3u8" => "application/vnd.apple.mpegurl",
        ".json" => "application/json",
        ".txt" or ".log" => "text/plain; charset=utf-8",
        ".vtt" => "text/vtt",
        ".yaml" or ".yml" => "application/yaml",
        _ => null,
    };
}
