using System.Text.Json.Nodes;
using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Cli.Running.Auditing;

/// <summary>Entries as JSON, with their place in the log and what they are evidence for.</summary>
internal static class AuditLines
{
    public static JsonObject ToJson(AuditRecord record)
    {
        var json = JsonNode.Parse(AuditJson.Write(record.Entry))!.AsObject();
        json["writer"] = record.Writer;
        json["sequence"] = record.Sequence;
        json["line"] = record.Line;
        return json;
    }

    public static JsonObject WithControls(AuditRecord record)
    {
        var json = ToJson(record);
        json["controls"] = new JsonArray([.. AuditControls.Of(record.Entry).Select(c => JsonValue.Create($"{c.Framework} {c.Id}"))]);
        return json;
    }
}
