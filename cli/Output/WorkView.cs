using System.Text.Json.Nodes;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Standing;

namespace FunctionsBackup.Cli.Output;

/// <summary>How running work is shown.</summary>
internal static class WorkView
{
    public static JsonObject ToJson(RunningWork work) => new()
    {
        ["instance"] = work.Instance,
        ["kind"] = work.Kind,
        ["components"] = new JsonArray([.. work.Components.Select(c => JsonValue.Create(c))]),
        ["status"] = work.Status,
        ["created_at"] = Human.Iso(work.CreatedAt),
        ["phase"] = work.Phase,
        ["done"] = work.Done,
        ["total"] = work.Total,
        ["bytes_done"] = work.BytesDone,
        ["bytes_total"] = work.BytesTotal,
        ["estimated_end"] = work.EstimatedEnd is { } end ? Human.Iso(end) : null,
        ["follow"] = Follow(work),
    };

    public static void Write(IReadOnlyList<RunningWork> all, TextWriter output, bool terminal)
    {
        var table = new Table("at work", "component", "progress", "since", "to follow it");
        foreach (var work in all)
            table.Add(
                work.Kind, work.Components.Count == 0 ? "-" : string.Join(", ", work.Components), Progress(work), Human.Moment(work.CreatedAt),
                Follow(work));
        table.Write(output, terminal);
    }

    private static string Follow(RunningWork work) => $"fbackup work follow {work.Instance}";

    private static string Progress(RunningWork work)
    {
        var parts = new List<string> { work.Status == "running" ? work.Phase ?? work.Status : work.Status };
        if (work.Total > 1) parts.Add($"{work.Done} of {work.Total}");
        if (work.BytesTotal > 0) parts.Add($"{Human.Bytes(work.BytesDone)} of {Human.Bytes(work.BytesTotal)}");
        if (work.EstimatedEnd is { } end) parts.Add($"until about {Human.Moment(end)}");
        return string.Join(", ", parts);
    }
}
