using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.Instances;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Api;

/// <summary>A kind of instance: how its ids begin, and where it stands in the API.</summary>
/// <param name="Path">Below the prefix: <c>backups</c>.</param>
/// <param name="Prefix">Of the ids.</param>
/// <param name="Noun">In sentences.</param>
internal sealed record InstanceKind(string Path, string Prefix, string Noun)
{
    public static readonly InstanceKind Backups = new("backups", InstanceIds.Backup, "backup");
    public static readonly InstanceKind Restores = new("restores", InstanceIds.Restore, "restore");
    public static readonly InstanceKind SiteRestores = new("site-restores", InstanceIds.SiteRestore, "restore of the site");
    public static readonly InstanceKind Verifications = new("verifications", InstanceIds.Verification, "verification");

    /// <exception cref="ProblemException">It cannot be the id of one.</exception>
    public string CheckId(string id) =>
        id.Length <= 200 && id.StartsWith(Prefix, StringComparison.Ordinal) && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? id
            : throw NoSuch();

    public ProblemException NoSuch() => ProblemException.NotFound($"There is no such {Noun}; GET {Path} lists those that there are.");

    public static InstanceView View(OrchestrationMetadata instance) => new()
    {
        Id = instance.InstanceId,
        Status = Word(instance.RuntimeStatus),
        CreatedAt = instance.CreatedAt,
        UpdatedAt = instance.LastUpdatedAt,
        Request = Translate(instance.SerializedInput),
        Progress = Translate(instance.SerializedCustomStatus),
        Result = Translate(instance.SerializedOutput),
        Failure = instance.FailureDetails?.ErrorMessage,
    };

    internal static string Word(OrchestrationRuntimeStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());

    /// <summary>From the names of the records, which the engine keeps, to those of the API; what is null is left out.</summary>
    private static JsonNode? Translate(string? json) => json is null ? null : Translate(JsonNode.Parse(json));

    private static JsonNode? Translate(JsonNode? node) => node switch
    {
        JsonObject group => new JsonObject(group.Where(p => p.Value is not null)
            .Select(p => KeyValuePair.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Key), Translate(p.Value)))),
        JsonArray array => new JsonArray([.. array.Select(Translate)]),
        _ => node?.DeepClone(),
    };
}
