using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Api;

/// <summary>What all kinds of instances have in common: answered to a start, listed, shown, steered.</summary>
internal static class InstanceApi
{
    private const int MaximumPage = 200;

    private static readonly Dictionary<string, OrchestrationRuntimeStatus> Statuses =
        new[]
        {
            OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended,
            OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated,
        }.ToDictionary(InstanceKind.Word);

    /// <summary>Has work started: 202, with the address of the instance, the new one or the one that was there.</summary>
    /// <param name="request">The request; it takes no query.</param>
    /// <param name="start">Checks the body and starts what it asks for.</param>
    /// <param name="nothing">Stands for no body at all; null: there must be one.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<Answer> StartAsync<TBody>(
        HttpRequest request, Func<TBody, Task<StartResult>> start, TBody? nothing, CancellationToken cancellationToken)
        where TBody : class
    {
        QueryValues.Allow(request);
        var started = await start(await RequestBody.ReadAsync(request, cancellationToken, nothing));
        // The request's own path, so that the prefix is whatever the host has it.
        var url = $"{request.PathBase}{request.Path.Value!.TrimEnd('/')}/{started.InstanceId}";
        var facts = new Dictionary<string, string> { ["started"] = started.Started ? "true" : "false" };
        return Answer.Of(new StartedView(started.InstanceId, started.Started, url), StatusCodes.Status202Accepted, url, facts);
    }

    public static async Task<Answer> ShowAsync(
        HttpRequest request, InstanceKind kind, string id, DurableTaskClient client, CancellationToken cancellationToken)
    {
        QueryValues.Allow(request);
        return Answer.Of(InstanceKind.View(await FindAsync(kind, id, client, inputs: true, cancellationToken)));
    }

    /// <summary>With the filters <c>status</c> (several with commas), <c>from</c>, <c>to</c>, <c>limit</c> and <c>continuation</c>.</summary>
    public static async Task<Answer> ListAsync(
        HttpRequest request, InstanceKind kind, DurableTaskClient client, TimeProvider time, CancellationToken cancellationToken)
    {
        QueryValues.Allow(request, "status", "from", "to", "limit", "continuation");
        var now = time.GetUtcNow();
        var limit = QueryValues.Count(request, "limit", 50, MaximumPage);
        var query = new OrchestrationQuery(
            CreatedFrom: QueryValues.Moment(request, "from", now), CreatedTo: QueryValues.Moment(request, "to", now),
            Statuses: StatusesOf(QueryValues.Text(request, "status")), InstanceIdPrefix: kind.Prefix, PageSize: limit, FetchInputsAndOutputs: true);
        var continuation = QueryValues.Text(request, "continuation");
        try
        {
            await foreach (var page in client.GetAllInstancesAsync(query).AsPages(continuation, limit).WithCancellation(cancellationToken))
                return Answer.Of(new InstanceList([.. page.Values.Select(InstanceKind.View)], page.ContinuationToken));
        }
        catch (Exception e) when (e is FormatException or ArgumentException && continuation is not null)
        {
            throw ProblemException.BadRequest("The continuation is not one that was given out; begin without.");
        }

        return Answer.Of(new InstanceList([], null));
    }

    /// <summary><c>cancel</c>, <c>suspend</c>, <c>resume</c> or <c>terminate</c>; answered with 202 and the address of the instance.</summary>
    public static async Task<Answer> SteerAsync(
        HttpRequest request, InstanceKind kind, string id, string action, Caller caller, DurableTaskClient client,
        CancellationToken cancellationToken)
    {
        QueryValues.Allow(request);
        if (action is not ("cancel" or "suspend" or "resume" or "terminate"))
            throw ProblemException.NotFound("There is no such action; a run can be cancelled, suspended, resumed and terminated.");
        var body = await RequestBody.ReadAsync(request, cancellationToken, new Steer());
        if (body.Reason is { } text && (text.Length > 200 || text.Any(char.IsControl)))
            throw ProblemException.BadRequest("The reason must be one line of at most 200 characters.");
        var instance = await FindAsync(kind, id, client, inputs: false, cancellationToken);
        if (instance.IsCompleted) throw ProblemException.Conflict($"This {kind.Noun} has ended already ({InstanceKind.Word(instance.RuntimeStatus)}).");
        var reason = $"{body.Reason ?? $"{action} was asked for"} (by {caller.Name})";
        await (action switch
        {
            "cancel" => Instance.CancelAsync(client, id, reason, cancellationToken),
            "suspend" => client.SuspendInstanceAsync(id, reason, cancellationToken),
            "resume" => client.ResumeInstanceAsync(id, reason, cancellationToken),
            _ => client.TerminateInstanceAsync(id, reason, cancellationToken),
        });
        var path = request.Path.Value!.TrimEnd('/');
        var url = request.PathBase + path[..path.LastIndexOf('/')];
        var facts = new Dictionary<string, string>();
        if (body.Reason is { } given) facts["reason"] = given;
        return Answer.Of(new StartedView(id, false, url), StatusCodes.Status202Accepted, url, facts);
    }

    /// <exception cref="ProblemException">There is no recovery point of that name.</exception>
    public static async Task CheckPointAsync(BackupSite site, string point, string? component, CancellationToken cancellationToken)
    {
        if (point.Length is 0 or > 200 || !point.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw ProblemException.NotFound("There is no such recovery point; GET recovery-points lists those that there are.");
        await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
        await lease.Repository.GetSnapshotAsync(point, component, cancellationToken);
    }

    private static async Task<OrchestrationMetadata> FindAsync(
        InstanceKind kind, string id, DurableTaskClient client, bool inputs, CancellationToken cancellationToken) =>
        await client.GetInstanceAsync(kind.CheckId(id), inputs, cancellationToken) ?? throw kind.NoSuch();

    private static List<OrchestrationRuntimeStatus>? StatusesOf(string? text) =>
        text?.Split(',').Select(word => Statuses.TryGetValue(word.Trim(), out var status)
            ? status
            : throw ProblemException.BadRequest($"The query parameter 'status' must be of {string.Join(", ", Statuses.Keys)}.")).ToList();
}
