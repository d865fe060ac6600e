using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Api;
using FunctionsBackup.Functions.Status;
using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Functions.Description;

/// <summary>One operation of the API: who may, and what goes in and comes out.</summary>
/// <param name="Function">The function's name.</param>
/// <param name="Method">Of HTTP, lower-case.</param>
/// <param name="Route">Below the prefix.</param>
/// <param name="Role">That is needed; null: everybody may.</param>
/// <param name="Summary">One sentence.</param>
public sealed record ApiOperation(string Function, string Method, string Route, ApiRole? Role, string Summary)
{
    /// <summary>Type of the body; null: none.</summary>
    public Type? Request { get; init; }

    /// <summary>What the audit log calls it; null: after the function, or the verb. What is only looked at is not recorded.</summary>
    public string? Action { get; init; }

    /// <summary>Whether the body must be there.</summary>
    public bool RequestRequired { get; init; }

    /// <summary>Type of the answer; null: no JSON.</summary>
    public Type? Response { get; init; }

    public int Success { get; init; } = 200;

    /// <summary>What the route's <c>{verb}</c> may be.</summary>
    public IReadOnlyList<string> Verbs { get; init; } = [];

    public IReadOnlyList<string> Query { get; init; } = [];

    /// <summary>It has a journal of its own: only denials are noted in the audit log.</summary>
    public bool IsJournal { get; init; }

    /// <summary>Statuses of refusals besides those that all have.</summary>
    public IReadOnlyList<int> Refusals { get; init; } = [];
}

/// <summary>The table of all operations: which role each needs, and what the description of the API is made from.</summary>
public static class ApiOperations
{
    private static readonly Dictionary<string, string> QueryParameters = new()
    {
        ["status"] = "One or several of pending, running, suspended, completed, failed and terminated, with commas.",
        ["from"] = "Not older than this time, ISO 8601.",
        ["to"] = "Not newer than this time, ISO 8601.",
        ["limit"] = "How many at most.",
        ["continuation"] = "From the answer before.",
        ["component"] = "Only of this component.",
    };

    public static IReadOnlyList<ApiOperation> All { get; } =
    [
        .. Instances("Backup", "Backups", "backups", "backup", typeof(StartBackup), required: false),
        .. Instances("Restore", "Restores", "restores", "restore", typeof(StartRestore), required: true),
        .. Instances("SiteRestore", "SiteRestores", "site-restores", "restore of the site", typeof(StartSiteRestore), required: true),
        .. Instances("Verification", "Verifications", "verifications", "verification", typeof(StartVerification), required: false),
        new("ListRecoveryPoints", "get", "recovery-points", ApiRole.Viewer, "Lists recovery points, newest first.")
        {
            Response = typeof(RecoveryPointList), Query = ["component", "from", "to", "limit", "continuation"], Refusals = [400, 409],
        },
        new("GetRecoveryPoint", "get", "recovery-points/{id}", ApiRole.Viewer, "Shows a recovery point.")
        {
            Response = typeof(RecoveryPointView), Refusals = [400, 404, 409],
        },
        new("DecideRecoveryPoint", "post", "recovery-points/{id}/{verb}", ApiRole.Approver, "Accepts or rejects a suspicious recovery point.")
        {
            Action = AuditActions.AnomalyDecision, Request = typeof(DecidePoint), RequestRequired = true, Response = typeof(RecoveryPointView),
            Verbs = ["accept", "reject"], Refusals = [400, 404, 409, 413, 415],
        },
        new("ReceiveLiveKitEvent", "post", "livekit/webhook", null, "Takes an event of a LiveKit server, signed with the server's API secret.")
        {
            IsJournal = true, Response = typeof(ReceivedEvent), Refusals = [400, 403, 404, 409, 413, 503],
        },
        new("GetStatus", "get", "status", ApiRole.Viewer, "Is everything protected, would it restore, how long would it take?")
        {
            Response = typeof(SiteStatus), Refusals = [400, 409],
        },
        new("GetMetrics", "get", "metrics", ApiRole.Viewer, "The same as Prometheus text.") { Refusals = [409] },
        new("GetLiveness", "get", "health/live", null, "The process answers.") { Response = typeof(HealthView) },
        new("GetReadiness", "get", "health/ready", null, "It can do its work.") { Response = typeof(HealthView), Refusals = [503] },
        new("GetDescription", "get", "openapi.json", null, "This description."),
    ];

    private static readonly Dictionary<string, ApiOperation> ByFunction = All.ToDictionary(o => o.Function);

    public static ApiOperation? Find(string function) => ByFunction.GetValueOrDefault(function);

    internal static string Describe(string parameter) => QueryParameters[parameter];

    /// <summary><c>SiteRestore</c> as the audit log has it: <c>site_restore</c>.</summary>
    private static string AuditName(string one) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(one);

    private static IEnumerable<ApiOperation> Instances(string one, string many, string path, string noun, Type start, bool required) =>
    [
        new("Start" + one, "post", path, ApiRole.Operator, $"Starts a {noun}; one that does the same already is the answer instead.")
        {
            Action = AuditName(one) + ".request", Request = start, RequestRequired = required, Response = typeof(StartedView), Success = 202, Refusals = [400, 404, 409, 413, 415],
        },
        new("List" + many, "get", path, ApiRole.Viewer, $"Lists {path}.")
        {
            Response = typeof(InstanceList), Query = ["status", "from", "to", "limit", "continuation"], Refusals = [400],
        },
        new("Get" + one, "get", path + "/{id}", ApiRole.Viewer, $"Shows a {noun}: how far it is, and what came of it.")
        {
            Response = typeof(InstanceView), Refusals = [400, 404],
        },
        new("Steer" + one, "post", path + "/{id}/{verb}", ApiRole.Operator, $"Cancels, suspends, resumes or terminates a {noun}.")
        {
            Request = typeof(Steer), Response = typeof(StartedView), Success = 202, Verbs = ["cancel", "suspend", "resume", "terminate"],
            Refusals = [400, 404, 409, 413, 415],
        },
    ];
}
