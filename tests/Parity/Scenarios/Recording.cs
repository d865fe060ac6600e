using System.Text;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>The recorded outcomes as text: a heading per scenario, its note, and what was said, a line each.</summary>
internal static class Recording
{
    public static string Write(IEnumerable<(Scenario Scenario, IReadOnlyList<string> Said)> outcomes)
    {
        var text = new StringBuilder();
        foreach (var (scenario, said) in outcomes)
        {
            text.Append("== ").Append(scenario.Name).Append('\n');
            if (scenario.Note is { } note) text.Append("# ").Append(note).Append('\n');
            foreach (var line in said) text.Append(line).Append('\n');
            text.Append('\n');
        }

        return text.ToString();
    }

    /// <returns>What was said, by the scenario's name.</returns>
    public static Dictionary<string, IReadOnlyList<string>> Read(string text)
    {
        var outcomes = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        List<string>? current = null;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("== ", StringComparison.Ordinal)) outcomes.Add(line[3..], current = []);
            else if (line.Length > 0 && line[0] != '#') current?.Add(line);
        }

        return outcomes;
    }
}
