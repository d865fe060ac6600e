using System.Diagnostics.Metrics;
using FunctionsBackup.Operations.Metrics;

namespace FunctionsBackup.Tests.Operations.Metrics;

public sealed class PrometheusTextTests
{
    private static readonly MetricDefinition Count = new("test_things_total", MetricKind.Counter, "Things, with a \\ and a \n in it.", ["kind"]);
    private static readonly MetricDefinition Level = new("test_level", MetricKind.Gauge, "A level.", []);

    private static readonly MetricDefinition Time = new("test_seconds", MetricKind.Histogram, "A time.", ["kind"]) { Buckets = [1, 2.5] };

    [Fact]
    public void Counters_gauges_and_histograms_are_written_exactly()
    {
        using var registry = new MetricRegistry([Count, Level, Time]);
        registry.Add(Count, 1, "a\"b\\c\nd");
        registry.Add(Count, 2, "plain");
        registry.Add(Count, 0.5, "plain");
        registry.Set(Level, 1764108000.25);
        registry.Observe(Time, 1, "x");
        registry.Observe(Time, 2, "x");
        registry.Observe(Time, 100, "x");
        PrometheusText.Write(registry).ShouldBe("""
            # HELP test_things_total Things, with a \\ and a \n in it.
            # TYPE test_things_total counter
            test_things_total{kind="a\"b\\c\nd"} 1
            test_things_total{kind="plain"} 2.5
            # HELP test_level A level.
            # TYPE test_level gauge
            test_level 1764108000.25
            # HELP test_seconds A time.
            # TYPE test_seconds histogram
            test_seconds_bucket{kind="x",le="1"} 1
            test_seconds_bucket{kind="x",le="2.5"} 2
            test_seconds_bucket{kind="x",le="+Inf"} 3
            test_seconds_sum{kind="x"} 103
            test_seconds_count{kind="x"} 3

            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Infinities_have_their_names()
    {
        using var registry = new MetricRegistry([Level]);
        registry.Set(Level, double.PositiveInfinity);
        PrometheusText.Write(registry).ShouldEndWith("test_level +Inf\n");
        registry.Set(Level, double.NaN);
        PrometheusText.Write(registry).ShouldEndWith("test_level NaN\n");
    }

    [Fact]
    public void Labels_and_kinds_must_fit()
    {
        using var registry = new MetricRegistry([Count, Level]);
        Should.Throw<ArgumentException>(() => registry.Add(Count, 1));
        Should.Throw<ArgumentException>(() => registry.Set(Count, 1, "x"));
        Should.Throw<ArgumentException>(() => registry.Add(Count, -1, "x"));
        Should.Throw<ArgumentException>(() => registry.Observe(Time, 1, "x"));
    }

    [Fact]
    public void Series_are_bounded()
    {
        using var registry = new MetricRegistry([Count]);
        for (var i = 0; i < MetricRegistry.MaximumSeries + 10; i++) registry.Add(Count, 1, $"{i}");
        registry.Collect().Single().Samples.Count.ShouldBe(MetricRegistry.MaximumSeries);
    }

    [Fact]
    public void Whoever_listens_to_the_meter_hears_the_same()
    {
        using var registry = new MetricRegistry(BackupMetrics.All);
        var heard = new List<(string, double, string)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == MetricRegistry.MeterName && instrument.Name == BackupMetrics.WalLag.Name) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            heard.Add((instrument.Name, value, $"{tags[0].Key}={tags[0].Value}")));
        listener.Start();
        registry.Set(BackupMetrics.WalLag, 42, "postgres");
        heard.ShouldContain(("voice_agent_backup_wal_lag_bytes", 42, "component=postgres"));
    }

    [Fact]
    public void Names_are_valid_and_each_once()
    {
        BackupMetrics.All.Select(m => m.Name).ShouldBeUnique();
        foreach (var metric in BackupMetrics.All)
        {
            metric.Name.ShouldMatch("^voice_agent_backup_[a-z_]+$");
            if (metric.Kind == MetricKind.Counter) metric.Name.ShouldEndWith("_total");
            metric.Labels.ShouldBeSubsetOf(["component", "kind", "outcome", "replica"]);
        }
    }
}
