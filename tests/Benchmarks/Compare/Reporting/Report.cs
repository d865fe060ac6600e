using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Benchmarks.Compare.Reporting;

/// <summary>The comparison as Markdown (also readable on a terminal) and as JSON.</summary>
public static class Report
{
    public static string Markdown(Results results)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Medians of {results.Runs} run{(results.Runs == 1 ? "" : "s")}. ");
        text.AppendJoin(", ", results.Versions.Select(version => $"{version.Key} {version.Value}")).Append(".\n");
        foreach (var note in results.Notes) text.Append("- ").Append(note).Append('\n');
        foreach (var scenario in results.Scenarios) Table(text, results, scenario);
        var aims = Aims.Judge(results).ToArray();
        if (aims.Length > 0) text.Append("\n| aim | measured | |\n|---|---|---|\n");
        foreach (var (aim, measured, met) in aims) text.Append(CultureInfo.InvariantCulture, $"| {aim} | {measured} | {(met ? "met" : "**missed**")} |\n");
        return text.ToString();
    }

    public static JsonObject Json(Results results)
    {
        var rows = new JsonArray();
        foreach (var scenario in results.Scenarios)
            foreach (var step in results.Steps(scenario))
                foreach (var contender in results.Contenders(scenario))
                    if (results.Median(scenario, step, contender) is { } median)
                        rows.Add(new JsonObject
                        {
                            ["scenario"] = scenario,
                            ["step"] = step,
                            ["contender"] = contender,
                            ["wall_seconds"] = Math.Round(median.Wall, 3),
                            ["cpu_seconds"] = Math.Round(median.Cpu, 3),
                            ["peak_bytes"] = median.PeakBytes,
                            ["stored_bytes"] = results.Stored(scenario, step, contender),
                        });
        return new JsonObject
        {
            ["runs"] = results.Runs,
            ["versions"] = new JsonObject(results.Versions.Select(version => KeyValuePair.Create(version.Key, (JsonNode?)version.Value))),
            ["notes"] = new JsonArray([.. results.Notes.Select(note => (JsonNode?)note)]),
            ["medians"] = rows,
            ["aims"] = new JsonArray([.. Aims.Judge(results).Select(aim =>
                (JsonNode)new JsonObject { ["aim"] = aim.Aim, ["measured"] = aim.Measured, ["met"] = aim.Met })]),
        };
    }

    private static void Table(StringBuilder text, Results results, string scenario)
    {
        var contenders = results.Contenders(scenario).ToArray();
        text.Append(CultureInfo.InvariantCulture, $"\n| {scenario}: seconds (CPU s, peak MB) |");
        foreach (var contender in contenders) text.Append(CultureInfo.InvariantCulture, $" {contender} |");
        if (contenders.Contains(Aims.Product)) text.Append(" against the best peer |");
        text.Append("\n|---|").Insert(text.Length, "---:|", contenders.Length + (contenders.Contains(Aims.Product) ? 1 : 0)).Append('\n');
        foreach (var step in results.Steps(scenario))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {step} |");
            foreach (var contender in contenders)
            {
                if (results.Median(scenario, step, contender) is not { } m) text.Append(" – |");
                else text.Append(CultureInfo.InvariantCulture, $" {m.Wall:0.00} ({m.Cpu:0.0}, {m.PeakBytes >> 20}) |");
            }

            var best = contenders.Where(name => name != Aims.Product).Select(name => results.Median(scenario, step, name)?.Wall).Min();
            if (results.Median(scenario, step, Aims.Product) is { } own)
                text.Append(best is null ? " – |" : string.Create(CultureInfo.InvariantCulture, $" {best / own.Wall:0.00}× |"));
            text.Append('\n');
        }

        foreach (var step in results.Steps(scenario).Where(step => contenders.Any(name => results.Stored(scenario, step, name) is not null)))
        {
            text.Append(CultureInfo.InvariantCulture, $"| MB stored after {step} |");
            foreach (var contender in contenders)
                text.Append(results.Stored(scenario, step, contender) is { } bytes ? string.Create(CultureInfo.InvariantCulture, $" {bytes / 1e6:0.0} |") : " – |");
            if (contenders.Contains(Aims.Product)) text.Append(" |");
            text.Append('\n');
        }
    }
}
