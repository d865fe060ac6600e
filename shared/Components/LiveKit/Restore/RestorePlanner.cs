using System.Globalization;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.LiveKit.Restore;

/// <summary>Compares a snapshot with a server, by natural keys: doing a restore again finds what was done.</summary>
internal sealed class RestorePlanner(Snapshot snapshot, LiveKitInventory kept, LiveKitInventory there, LiveKitRestoreOptions options)
{
    private readonly List<RestoreStep> _deletions = [], _steps = [];
    private readonly List<string> _warnings = [];
    private int _differing;

    public LiveKitRestorePlan Plan(string server, DateTimeOffset now)
    {
        foreach (var rules in ObjectRules.All) Compare(rules);
        if (options.RestartEgress) PlanEgress(now);
        Warn();
        // Extras go first, and those that refer to others before them: a trunk with the same number would stand in the way.
        _deletions.Reverse();
        return new LiveKitRestorePlan(snapshot, server, [.. _deletions, .. _steps], _warnings);
    }

    private void Compare(ObjectRules rules)
    {
        var kind = rules.Kind;
        if (!kept.Knows(kind)) // nothing is known, so nothing is extra either
        {
            _warnings.Add($"{snapshot.Id} does not know which {Plural(kind)} there were, so nothing is done about them: {kept.Missing[kind.Name]}");
            return;
        }

        if (!there.Knows(kind))
        {
            if (kept.Of(kind).Count > 0)
                _warnings.Add($"The {kept.Of(kind).Count} {Plural(kind)} of {snapshot.Id} are not restored: {there.Missing[kind.Name]}");
            return;
        }

        // The first of several that are alike stands for the first, the second for the second.
        var existing = there.Of(kind).GroupBy(rules.NaturalKey, StringComparer.Ordinal).ToDictionary(g => g.Key, g => new Queue<LiveKitItem>(g), StringComparer.Ordinal);
        var items = kind == LiveKitKind.Ingress
            ? kept.Of(kind).OrderBy(i => ObjectRules.Text(i, "input_type") == "URL_INPUT") // these pull at once: last
            : kept.Of(kind).AsEnumerable();
        foreach (var item in items)
        {
            if (existing.TryGetValue(rules.NaturalKey(item), out var alike) && alike.TryDequeue(out var match))
            {
                if (kind != LiveKitKind.Room && kind != LiveKitKind.DispatchRule
                    && ObjectRules.Canonical(rules.Body(item)) != ObjectRules.Canonical(rules.Body(match)))
                    _differing++;
                _steps.Add(new RestoreStep(RestoreAction.Keep, kind.Name, rules.Shown(item), null, rules.OldId(item), rules.OldId(match)) { Item = item, Rules = rules });
            }
            else
            {
                _steps.Add(new RestoreStep(RestoreAction.Create, kind.Name, rules.Shown(item), rules.Create, rules.OldId(item), null) { Item = item, Rules = rules });
            }
        }

        if (!options.Exact) return;
        foreach (var extra in existing.Values.SelectMany(q => q))
            _deletions.Add(new RestoreStep(RestoreAction.Delete, kind.Name, rules.Shown(extra), rules.Delete, rules.OldId(extra), null) { Item = extra, Rules = rules });
    }

    private void PlanEgress(DateTimeOffset now)
    {
        var running = there.Of(LiveKitKind.Egress).Where(EgressRestart.IsRunning).Select(EgressRestart.KeyOf).ToHashSet(StringComparer.Ordinal);
        var suffix = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        foreach (var egress in kept.Of(LiveKitKind.Egress).Where(EgressRestart.IsRunning))
        {
            if (running.Contains(EgressRestart.KeyOf(egress))) continue;
            if (EgressRestart.Of(egress, suffix, out var why) is { } start)
                _steps.Add(new RestoreStep(
                    RestoreAction.Start, LiveKitKind.Egress.Name, $"recording of room {ObjectRules.Text(egress, "room_name")}", start.Call, egress.Id, null)
                {
                    Item = egress, Body = start.Body,
                });
            else
                _warnings.Add($"Egress {egress.Id} of room {ObjectRules.Text(egress, "room_name")} is not started again: {why}.");
        }
    }

    private void Warn()
    {
        if (_differing > 0)
            _warnings.Add($"{_differing} objects of the same names are there with other settings; they stay as they are on the server.");
        var trunks = there.Of(LiveKitKind.InboundTrunk).Select(t => t.Id).ToHashSet(StringComparer.Ordinal);
        var stale = there.Knows(LiveKitKind.InboundTrunk) ? there.Of(LiveKitKind.DispatchRule).Where(
            r => r.Json["trunk_ids"] is System.Text.Json.Nodes.JsonArray ids && ids.Any(i => !trunks.Contains(i?.ToString() ?? ""))).ToList() : [];
        foreach (var rule in stale)
            _warnings.Add($"Dispatch rule {ObjectRules.Text(rule, "name")} ({rule.Id}) of the server names trunks that the server does not have; set its trunks by hand.");
        if (_steps.Any(s => s.Action == RestoreAction.Create && s.Kind == LiveKitKind.Ingress.Name))
            _warnings.Add("Ingress gets new stream keys: give them to whoever publishes; addresses that are pulled are pulled from now on.");
        var nameless = kept.Of(LiveKitKind.InboundTrunk).Concat(kept.Of(LiveKitKind.OutboundTrunk)).Count(
            t => ObjectRules.Text(t, "auth_username").Length > 0 && ObjectRules.Text(t, "auth_password").Trim('*').Length == 0);
        if (nameless > 0) _warnings.Add($"{nameless} trunks have a user name whose password the server did not tell; set it by hand.");
        if (LiveKitBackupDetails.FromJson(snapshot.Details)?.Counts.GetValueOrDefault(LiveKitKind.Participant.Name) is > 0 and var participants)
            _warnings.Add($"The {participants} participants are not restored, nor are tokens: clients and agents come back by themselves, with new tokens.");
        var active = kept.Of(LiveKitKind.Egress).Count(EgressRestart.IsRunning);
        if (active > 0 && !options.RestartEgress)
            _warnings.Add($"{active} recordings were going on and are not started again; --restart-egress does, into new files.");
    }

    private static string Plural(LiveKitKind kind) => kind == LiveKitKind.Dispatch ? "agent dispatches" : kind == LiveKitKind.Ingress ? "ingresses" : $"{kind.Title}s";
}
