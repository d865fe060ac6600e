namespace FunctionsBackup.Tests.Parity;

/// <summary>Where the embedded engine answers otherwise than the recorded framework, on purpose (Baseline/differences.txt).</summary>
/// <param name="Scenario">In which.</param>
/// <param name="Real">What was recorded: some lines.</param>
/// <param name="Ours">What the embedded engine says in their place.</param>
internal sealed record Difference(string Scenario, string Real, string Ours)
{
    public static IReadOnlyList<Difference> All { get; } = Parse(Resources.Read("differences.txt"));

    /// <returns>What the embedded engine should say.</returns>
    public static string Apply(string scenario, string recorded)
    {
        foreach (var difference in All.Where(d => d.Scenario == scenario))
        {
            recorded.ShouldContain(difference.Real, customMessage: "This difference is out of date.");
            recorded = recorded.Replace(difference.Real, difference.Ours, StringComparison.Ordinal);
        }

        return recorded;
    }

    /// <summary>A heading per scenario, a reason after "#", then recorded lines after "-" and ours after "+".</summary>
    private static List<Difference> Parse(string text)
    {
        var found = new List<Difference>();
        var scenario = string.Empty;
        List<string> real = [], ours = [];
        foreach (var line in text.Split('\n').Append("== "))
        {
            if (line.StartsWith('+'))
            {
                ours.Add(line[1..]);
                continue;
            }

            if (ours.Count > 0)
            {
                found.Add(new(scenario, string.Join('\n', real), string.Join('\n', ours)));
                (real, ours) = ([], []);
            }

            if (line.StartsWith("== ", StringComparison.Ordinal)) scenario = line[3..];
            else if (line.StartsWith('-')) real.Add(line[1..]);
        }

        return found;
    }
}
