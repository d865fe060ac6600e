using System.Text.Json.Nodes;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Output;

/// <summary>How replicas stand, as <c>status</c> shows it.</summary>
internal static class ReplicaView
{
    public static void Write(IReadOnlyList<ReplicaStanding> replicas, TextWriter output, bool terminal)
    {
        var table = new Table("replica", "state", "behind", "lacks", "recovery points");
        foreach (var r in replicas)
            table.Add(
                r.Replica, r.State.Replace('_', ' '), r.Lag is null ? "-" : r.Age == TimeSpan.Zero ? "0 s" : Human.Time(r.Age),
                r.Lag is { } lag ? $"{Human.Count(lag.MissingObjects, "object", "objects")}, {Human.Bytes(lag.MissingBytes)}" : "-",
                r.Lag is { } points ? $"{points.MissingSnapshots:N0}" : "-");
        table.Write(output, terminal);
    }

    public static JsonObject ToJson(ReplicaStanding standing) => new()
    {
        ["replica"] = standing.Replica,
        ["state"] = standing.State,
        ["well"] = standing.IsWell,
        ["lag_seconds"] = standing.Lag is null ? null : standing.Age.TotalSeconds,
        ["missing_objects"] = standing.Lag?.MissingObjects,
        ["missing_bytes"] = standing.Lag?.MissingBytes,
        ["missing_recovery_points"] = standing.Lag?.MissingSnapshots,
        ["only_on_replica"] = standing.Lag?.OnlyOnReplica,
        ["reason"] = standing.Reason,
    };
}
