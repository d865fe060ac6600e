using System.Text.Json.Serialization;

namespace FunctionsBackup.Operations.Audit;

/// <summary>Who did it.</summary>
/// <param name="Kind">How we know.</param>
/// <param name="Name">The user, the name behind the API key, the principal.</param>
/// <param name="Role">Over HTTP: the highest role that the caller has.</param>
public sealed record AuditActor(AuditActorKind Kind, string Name, string? Role = null)
{
    public static AuditActor Schedule { get; } = new(AuditActorKind.Schedule, "schedule");

    /// <summary>Somebody who showed nothing that could be known.</summary>
    public static AuditActor Anonymous { get; } = new(AuditActorKind.Anonymous, "anonymous");

    /// <summary>The user that this process runs as; behind sudo, who called it too.</summary>
    public static AuditActor OfProcess() =>
        Environment.GetEnvironmentVariable("SUDO_USER") is { Length: > 0 } caller
            ? new AuditActor(AuditActorKind.User, $"{Environment.UserName} (sudo of {caller})")
            : new AuditActor(AuditActorKind.User, Environment.UserName);

    /// <summary>Who asked for an orchestration, as its request says: <c>schedule</c>, <c>cli</c>, the name behind an API key. Who that was and
    /// from where stands in the entry of the request, which names the same instance.</summary>
    public static AuditActor OfRequest(string? requestedBy) => requestedBy switch
    {
        null => new AuditActor(AuditActorKind.System, "fbackup"),
        "schedule" => Schedule,
        _ => new AuditActor(AuditActorKind.Request, requestedBy),
    };
}

/// <summary>How an actor is known.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AuditActorKind>))]
public enum AuditActorKind
{
    /// <summary>The operating system's user of the process.</summary>
    [JsonStringEnumMemberName("user")]
    User,

    /// <summary>The name behind an API key of a self-hosted site.</summary>
    [JsonStringEnumMemberName("api_key")]
    ApiKey,

    /// <summary>A principal that Entra ID signed in.</summary>
    [JsonStringEnumMemberName("entra_id")]
    EntraId,

    /// <summary>Somebody with a function key of Azure, which names nobody.</summary>
    [JsonStringEnumMemberName("function_key")]
    FunctionKey,

    /// <summary>A timer.</summary>
    [JsonStringEnumMemberName("schedule")]
    Schedule,

    /// <summary>Whoever asked for the orchestration: see the entry of the request.</summary>
    [JsonStringEnumMemberName("request")]
    Request,

    /// <summary>The program by itself.</summary>
    [JsonStringEnumMemberName("system")]
    System,

    [JsonStringEnumMemberName("anonymous")]
    Anonymous,
}
