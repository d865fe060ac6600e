using System.Text.Json;
using FunctionsBackup.SelfHosting.Engine.History;

namespace FunctionsBackup.SelfHosting.Engine.Replay;

/// <summary>The history of an instance in a form that can be kept as a file beside the tests.</summary>
public sealed record RecordedHistory(
    string InstanceId, string Name, string Version, string? ParentName, string? ParentInstanceId, IReadOnlyList<HistoryEventRow> Rows)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() },
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <exception cref="JsonException">It is no such JSON.</exception>
    public static RecordedHistory Parse(string json) =>
        JsonSerializer.Deserialize<RecordedHistory>(json, Json) ?? throw new JsonException("A recorded history was expected, not null.");

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
