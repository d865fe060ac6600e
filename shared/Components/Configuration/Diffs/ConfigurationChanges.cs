using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.Configuration.Diffs;

/// <summary>How two states of the configuration differ. In the details of a snapshot it is the property <c>diff</c>.</summary>
public sealed record ConfigurationChanges
{
    /// <summary>The state before: a snapshot's id; null: there was none.</summary>
    public string? Against { get; init; }

    public int Changed { get; init; }

    public int Added { get; init; }

    public int Removed { get; init; }

    /// <summary>A unified diff without secrets, at most <see cref="ConfigurationDiff.MaximumText"/> characters.</summary>
    public string Text { get; init; } = "";

    public bool IsEmpty => Changed + Added + Removed == 0;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary><c>3 changed, 1 new, 1 removed</c>.</summary>
    public string Summary() => IsEmpty ? "nothing changed" : string.Join(
        ", ", new[] { (Changed, "changed"), (Added, "new"), (Removed, "removed") }.Where(p => p.Item1 > 0).Select(p => $"{p.Item1} {p.Item2}"));

    public JsonObject ToJson()
    {
        var json = JsonSerializer.SerializeToNode(this, Options)!.AsObject();
        json.Remove("isEmpty");
        return json;
    }

    /// <summary>What a snapshot's details say; null: nothing.</summary>
    public static ConfigurationChanges? FromDetails(JsonObject? details)
    {
        try
        {
            return details?["diff"]?.Deserialize<ConfigurationChanges>(Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
