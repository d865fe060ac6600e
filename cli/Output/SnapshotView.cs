using System.Text.Json.Nodes;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Output;

/// <summary>How recovery points are shown.</summary>
internal static class SnapshotView
{
    /// <summary>With how it stands.</summary>
    public static JsonObject ToJson(Snapshot snapshot, Suspicions suspicions)
    {
        var json = ToJson(snapshot);
        json["standing"] = suspicions.StandingOf(snapshot).ToString().ToLowerInvariant();
        var suspicion = suspicions.Of(snapshot.Id);
        json["anomalies"] = new JsonArray([.. (suspicion?.Reasons ?? []).Select(r => JsonValue.Create(r))]);
        json["decision"] = suspicion?.Decision is not { } decision ? null : new JsonObject
        {
            ["accepted"] = decision.Accepted, ["by"] = decision.By, ["reason"] = decision.Reason, ["at"] = Human.Iso(decision.At),
        };
        return json;
    }

    public static JsonObject ToJson(Snapshot snapshot) => new()
    {
        ["id"] = snapshot.Id,
        ["point"] = snapshot.Point,
        ["component"] = snapshot.Component,
        ["kind"] = snapshot.Kind,
        ["parent"] = snapshot.Parent,
        ["started_at"] = Human.Iso(snapshot.StartedAt),
        ["completed_at"] = Human.Iso(snapshot.CompletedAt),
        ["host"] = snapshot.Host,
        ["written_by"] = snapshot.WrittenBy,
        ["writer"] = snapshot.Writer,
        ["entries"] = snapshot.Statistics.Entries,
        ["files"] = snapshot.Statistics.Files,
        ["logical_bytes"] = snapshot.Statistics.LogicalBytes,
        ["read_bytes"] = snapshot.Statistics.ReadBytes,
        ["new_bytes"] = snapshot.Statistics.NewBytes,
        ["stored_bytes"] = snapshot.Statistics.StoredBytes,
        ["new_chunks"] = snapshot.Statistics.NewChunks,
        ["warnings"] = new JsonArray([.. snapshot.Warnings.Select(w => JsonValue.Create(w))]),
        ["details"] = snapshot.Details?.DeepClone(),
    };

    public static void Describe(Snapshot snapshot, Suspicions suspicions, TextWriter output)
    {
        var statistics = snapshot.Statistics;
        output.WriteLine($"recovery point  {snapshot.Id}");
        if (snapshot.Point is { } point) output.WriteLine($"one of          {point}");
        output.WriteLine($"component       {snapshot.Component}, {snapshot.Kind}");
        output.WriteLine(
            $"completed       {Human.Moment(snapshot.CompletedAt)}, after {Human.Time(snapshot.CompletedAt - snapshot.StartedAt)}");
        output.WriteLine($"taken on        {snapshot.Host} by fbackup {snapshot.WrittenBy}");
        if (snapshot.Writer is { } writer) output.WriteLine($"writer          {writer}, which only writes");
        if (snapshot.Parent is { } parent) output.WriteLine($"taken against   {parent} (not needed to restore)");
        output.WriteLine($"holds           {Human.Count(statistics.Files, "file", "files")}, {Human.Bytes(statistics.LogicalBytes)}");
        output.WriteLine($"read            {Human.Bytes(statistics.ReadBytes)}");
        output.WriteLine($"new             {Human.Bytes(statistics.NewBytes)}, {Human.Bytes(statistics.StoredBytes)} stored");
        if (ConfigurationChanges.FromDetails(snapshot.Details) is { } changes) output.WriteLine($"changes         {changes.Summary()} (--diff shows them)");
        foreach (var (name, value) in (snapshot.Details ?? []).Where(p => p.Key != "diff"))
            output.WriteLine($"{name,-15} {value?.ToJsonString()}");
        var standing = suspicions.StandingOf(snapshot);
        if (standing != PointStanding.Clean) output.WriteLine($"standing        {Words(standing)}");
        if (suspicions.Of(snapshot.Id) is { } suspicion)
        {
            foreach (var reason in suspicion.Reasons) output.WriteLine($"unusual         {reason}");
            if (suspicion.Decision is { } decision)
                output.WriteLine(
                    $"{(decision.Accepted ? "accepted" : "rejected")}        {Human.Moment(decision.At)} by {decision.By}: {decision.Reason}");
            else
                output.WriteLine($"to decide       fbackup backup accept|reject {snapshot.Id} --reason TEXT");
        }

        foreach (var warning in snapshot.Warnings) output.WriteLine($"warning         {warning}");
    }

    /// <summary>Empty for what is clean.</summary>
    public static string Words(PointStanding standing) => standing switch
    {
        PointStanding.Clean => "",
        PointStanding.Suspicious => "suspicious",
        PointStanding.Rejected => "rejected",
        _ => "taken after a suspicious one",
    };
}
