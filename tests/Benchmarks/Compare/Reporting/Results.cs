using System.Globalization;
using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Reporting;

/// <summary>All measurements of a comparison, by scenario, step and contender.</summary>
public sealed class Results
{
    private readonly Dictionary<(string Scenario, string Step, string Contender), List<Measurement>> _measurements = [];
    private readonly Dictionary<(string Scenario, string Step, string Contender), long> _stored = [];

    public Dictionary<string, string> Versions { get; } = [];

    public List<string> Notes { get; } = [];

    public IEnumerable<string> Scenarios => _measurements.Keys.Select(key => key.Scenario).Distinct();

    public IEnumerable<string> Steps(string scenario) => _measurements.Keys.Where(key => key.Scenario == scenario).Select(key => key.Step).Distinct();

    public IEnumerable<string> Contenders(string scenario) =>
        _measurements.Keys.Where(key => key.Scenario == scenario).Select(key => key.Contender).Distinct().Order(StringComparer.Ordinal);

    public void Add(string scenario, string step, string contender, Measurement measurement)
    {
        if (!_measurements.TryGetValue((scenario, step, contender), out var list)) _measurements[(scenario, step, contender)] = list = [];
        list.Add(measurement);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {scenario,-9} {step,-16} {contender,-11} {measurement.Wall,7:0.00} s  {measurement.Cpu,7:0.00} s CPU  {measurement.PeakBytes >> 20,5} MB"));
    }

    /// <summary>Bytes of the repository after a step, of the last run.</summary>
    public void Stored(string scenario, string step, string contender, long bytes) => _stored[(scenario, step, contender)] = bytes;

    public long? Stored(string scenario, string step, string contender) =>
        _stored.TryGetValue((scenario, step, contender), out var bytes) ? bytes : null;

    /// <summary>The medians, each figure by itself; null if this contender did not take this step.</summary>
    public Measurement? Median(string scenario, string step, string contender) =>
        !_measurements.TryGetValue((scenario, step, contender), out var list) ? null
            : new Measurement(Middle(list, m => m.Wall), Middle(list, m => m.Cpu), (long)Middle(list, m => m.PeakBytes));

    public int Runs => _measurements.Count == 0 ? 0 : _measurements.Values.Max(list => list.Count);

    private static double Middle(List<Measurement> list, Func<Measurement, double> figure)
    {
        var sorted = list.Select(figure).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
