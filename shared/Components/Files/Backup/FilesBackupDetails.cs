using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>The <c>details</c> of a snapshot of files.</summary>
public sealed record FilesBackupDetails
{
    /// <summary>Top-level name in the catalog to the absolute path it was taken from.</summary>
    public required IReadOnlyDictionary<string, string> Paths { get; init; }

    /// <summary>Top-level names of what is no file: <c>environment</c>, <c>kubernetes</c>.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    public IReadOnlyList<string> Include { get; init; } = [];

    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Files and directories that the globs left out; what lies in an excluded directory is not counted.</summary>
    public long Excluded { get; init; }

    /// <summary>Sockets, which were left out.</summary>
    public long Sockets { get; init; }

    /// <summary>Files whose content was taken over without reading them.</summary>
    public long Unchanged { get; init; }

    /// <summary>Files that were renamed or grew, of which only what was new was read.</summary>
    public long Continued { get; init; }

    /// <summary>Names of the users and groups that own something, by id, as this machine knew them.</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Groups { get; init; } = new Dictionary<string, string>();

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, Options)!.AsObject();

    /// <summary>Null if the details are not those of a snapshot of files.</summary>
    public static FilesBackupDetails? FromJson(JsonObject? details)
    {
        try
        {
            return details?.Deserialize<FilesBackupDetails>(Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static Dictionary<string, string> Names(IEnumerable<uint> ids, Func<uint, string?> find)
    {
        var names = new Dictionary<string, string>();
        foreach (var id in ids.Order())
            if (find(id) is { } name) names[id.ToString(CultureInfo.InvariantCulture)] = name;
        return names;
    }

    internal static Dictionary<string, string> UserNames(IEnumerable<uint> ids) => Names(ids, Accounts.UserName);

    internal static Dictionary<string, string> GroupNames(IEnumerable<uint> ids) => Names(ids, Accounts.GroupName);
}
