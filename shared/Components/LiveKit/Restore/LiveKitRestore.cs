using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Access;
using FunctionsBackup.Components.LiveKit.Twirp;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.LiveKit.Restore;

/// <summary>
/// Makes the objects of a snapshot again in a running server: trunks, dispatch rules, ingress, rooms, agent dispatches, in this order, because later ones
/// refer to earlier ones. Ids are the server's to give, so they are new; a map says which became which.
/// </summary>
public sealed class LiveKitRestore(BackupRepository repository, LiveKitConnection connection, TimeProvider time)
{
    /// <summary>Reads both sides and says what would be done. Changes nothing.</summary>
    /// <exception cref="LiveKitException">The server refused or does not answer.</exception>
    public async ValueTask<LiveKitRestorePlan> PlanAsync(Snapshot snapshot, LiveKitRestoreOptions options, CancellationToken cancellationToken)
    {
        using var client = new TwirpClient(connection, time);
        return await PlanAsync(client, snapshot, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Restores. What one object is refused does not stop the others; a server that has gone, or refuses the key, stops all.</summary>
    /// <param name="snapshot">What.</param>
    /// <param name="options">How.</param>
    /// <param name="mapped">Told each id as soon as it is known, so that a restore that breaks off leaves a map, too.</param>
    /// <param name="progress">Steps as files.</param>
    /// <param name="cancellationToken">Stops between two steps; the same restore goes on from there.</param>
    /// <exception cref="LiveKitException">The server refused all, or does not answer.</exception>
    public async ValueTask<LiveKitRestoreReport> RunAsync(
        Snapshot snapshot, LiveKitRestoreOptions options, Action<MappedId> mapped, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        using var client = new TwirpClient(connection, time);
        var plan = await PlanAsync(client, snapshot, options, cancellationToken).ConfigureAwait(false);
        var (ids, failures, done) = (new List<MappedId>(), new List<string>(), new Dictionary<RestoreAction, int>());
        foreach (var step in plan.Steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var newId = step.Action == RestoreAction.Keep ? step.NewId : await CallAsync(client, step, ids, cancellationToken).ConfigureAwait(false);
                done[step.Action] = done.GetValueOrDefault(step.Action) + 1;
                if (newId is { Length: > 0 })
                {
                    ids.Add(new MappedId(step.Kind, step.Shown, step.OldId, newId));
                    mapped(ids[^1]);
                }
            }
            catch (LiveKitException e) when (!e.IsTransient && !e.IsDenied)
            {
                if (step.Action != RestoreAction.Delete || e.Code != "not_found") failures.Add($"The {Title(step)} {step.Shown}: {e.Message}");
            }

            progress?.Report(new WorkProgress(done.Values.Sum(), plan.Steps.Count, 0, 0));
        }

        return new LiveKitRestoreReport(
            plan, done.GetValueOrDefault(RestoreAction.Create), done.GetValueOrDefault(RestoreAction.Keep), done.GetValueOrDefault(RestoreAction.Delete),
            done.GetValueOrDefault(RestoreAction.Start), ids, failures);
    }

    private async ValueTask<LiveKitRestorePlan> PlanAsync(
        TwirpClient client, Snapshot snapshot, LiveKitRestoreOptions options, CancellationToken cancellationToken)
    {
        var kept = await LiveKitInventory.ReadAsync(repository, snapshot, cancellationToken).ConfigureAwait(false);
        var there = await LiveKitInventory.ReadAsync(client, options.RestartEgress, cancellationToken).ConfigureAwait(false);
        return new RestorePlanner(snapshot, kept, there, options).Plan(client.Server, time.GetUtcNow());
    }

    /// <returns>The new id; empty: there is none.</returns>
    private static async ValueTask<string> CallAsync(
        TwirpClient client, RestoreStep step, IReadOnlyList<MappedId> ids, CancellationToken cancellationToken)
    {
        var (item, rules) = (step.Item!, step.Rules);
        var body = step.Body ?? (step.Action == RestoreAction.Delete ? rules!.DeleteBody(item) : rules!.Body(item));
        if (step is { Action: RestoreAction.Create } && rules!.Kind == LiveKitKind.DispatchRule) MapTrunks(body["dispatch_rule"]!.AsObject(), ids);
        using var answer = await client.ChangeAsync(step.Call!, body, rules?.Grant(item) ?? LiveKitGrant.Egress, cancellationToken).ConfigureAwait(false);
        if (step.Action == RestoreAction.Delete) return "";
        var name = rules?.NewId ?? LiveKitKind.Egress.IdField;
        return answer.RootElement.ValueKind == JsonValueKind.Object && answer.RootElement.TryGetProperty(name, out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()!
            : throw new LiveKitException($"{client.Server} answers {step.Call} without {name}; look whether the object is there.", "malformed");
    }

    /// <summary>A rule without trunks would take the calls of all; so each trunk must be known.</summary>
    private static void MapTrunks(JsonObject rule, IReadOnlyList<MappedId> ids)
    {
        if (rule["trunk_ids"] is not JsonArray trunks) return;
        var mapped = new JsonArray();
        foreach (var trunk in trunks)
        {
            var old = trunk?.ToString() ?? "";
            mapped.Add(JsonValue.Create(ids.FirstOrDefault(i => i.OldId == old && i.Kind == LiveKitKind.InboundTrunk.Name)?.NewId
                ?? throw new LiveKitException($"it belongs to trunk {old}, which was not restored; make it by hand.", "failed_precondition")));
        }

        rule["trunk_ids"] = mapped;
    }

    private static string Title(RestoreStep step) => LiveKitKind.All.First(k => k.Name == step.Kind).Title;
}
