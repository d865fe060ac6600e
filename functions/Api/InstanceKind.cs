using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Verification;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Api;

/// <summary>A kind of instance: how its ids begin, where it stands in the API, and what its records are.</summary>
/// <param name="Path">Below the prefix: <c>backups</c>.</param>
/// <param name="Prefix">Of the ids.</param>
/// <param name="Noun">In sentences.</param>
/// <param name="Request">Type of the input.</param>
/// <param name="Progress">Type of the custom status.</param>
/// <param name="Result">Type of the output.</param>
internal sealed record InstanceKind(string Path, string Prefix, string Noun, Type Request, Type Progress, Type Result)
{
    public static readonly InstanceKind Backups =
        new("backups", InstanceIds.Backup, "backup", typeof(BackupRequest), typeof(BackupStatus), typeof(BackupResult));

    public static readonly InstanceKind Restores =
        new("restores", InstanceIds.Restore, "restore", typeof(RestoreRequest), typeof(RestoreStatus), typeof(RestoreResult));

    public static readonly InstanceKind Verifications = new(
        "verifications", InstanceIds.Verification, "verification", typeof(VerificationRequest), typeof(VerificationStatus), typeof(VerificationResult));

    /// <summary>As the engine writes it.</summary>
    private static readonly JsonSerializerOptions Stored = new() { IncludeFields = true };

    /// <exception cref="ProblemException">It cannot be the id of one.</exception>
    public string CheckId(string id) =>
        id.Length <= 200 && id.StartsWith(Prefix, StringComparison.Ordinal) && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? id
            : throw NoSuch();

    public ProblemException NoSuch() => ProblemException.NotFound($"There is no such {Noun}; GET {Path} lists those that there are.");

    public InstanceView View(OrchestrationMetadata instance) => new()
    {
        Id = instance.InstanceId,
        Status = Word(instance.RuntimeStatus),
        CreatedAt = instance.CreatedAt,
        UpdatedAt = instance.LastUpdatedAt,
        Request = Translate(instance.SerializedInput, Request),
        Progress = Translate(instance.SerializedCustomStatus, Progress),
        Result = Translate(instance.SerializedOutput, Result),
        Failure = instance.FailureDetails?.ErrorMessage,
    };

    internal static string Word(OrchestrationRuntimeStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());

    /// <summary>From the names of the engine's JSON to those of the API. What is no such record (a terminated instance's reason) is left out.</summary>
    private static JsonNode? Translate(string? json, Type type)
    {
        if (json is null) return null;
        try
        {
            return JsonSerializer.Deserialize(json, type, Stored) is { } value ? JsonSerializer.SerializeToNode(value, type, Json.Options) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
