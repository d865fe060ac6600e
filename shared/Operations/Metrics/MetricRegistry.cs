using System.Diagnostics.Metrics;

namespace FunctionsBackup.Operations.Metrics;

/// <summary>One value with its labels; of a histogram, its buckets.</summary>
/// <param name="Labels">In the order of the definition.</param>
/// <param name="Value">Of a counter or gauge; of a histogram the sum.</param>
/// <param name="Counts">Of a histogram: observations in each bucket, +Inf last, not accumulated.</param>
public sealed record MetricSample(IReadOnlyList<string> Labels, double Value, IReadOnlyList<long> Counts);

/// <summary>
/// Holds the values of metrics for those who ask (Prometheus), and hands each recording on to <see cref="System.Diagnostics.Metrics"/> for
/// those who listen (OpenTelemetry, Application Insights). Safe for concurrent use.
/// </summary>
public sealed class MetricRegistry : IDisposable
{
    public const string MeterName = "FunctionsBackup";

    /// <summary>No metric keeps more label combinations: labels that somebody outside chooses must not fill the memory.</summary>
    public const int MaximumSeries = 1000;

    private readonly Lock _gate = new();
    private readonly Meter _meter = new(MeterName);
    private readonly Dictionary<string, Series> _series = [];

    public MetricRegistry(IEnumerable<MetricDefinition> definitions)
    {
        foreach (var definition in definitions) _series.Add(definition.Name, new Series(definition, _meter));
    }

    /// <summary>Adds to a counter.</summary>
    /// <exception cref="ArgumentException">It is no counter, the labels do not fit, or the amount is negative.</exception>
    public void Add(MetricDefinition metric, double amount, params ReadOnlySpan<string> labels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        var series = Find(metric, MetricKind.Counter, labels);
        lock (_gate) series.Change(labels, p => p.Value += amount);
        series.Counter!.Add(amount, series.Tags(labels));
    }

    /// <summary>Sets a gauge.</summary>
    /// <exception cref="ArgumentException">It is no gauge, or the labels do not fit.</exception>
    public void Set(MetricDefinition metric, double value, params ReadOnlySpan<string> labels)
    {
        var series = Find(metric, MetricKind.Gauge, labels);
        lock (_gate) series.Change(labels, p => p.Value = value);
        series.Gauge!.Record(value, series.Tags(labels));
    }

    /// <summary>Observes a value for a histogram.</summary>
    /// <exception cref="ArgumentException">It is no histogram, or the labels do not fit.</exception>
    public void Observe(MetricDefinition metric, double value, params ReadOnlySpan<string> labels)
    {
        var series = Find(metric, MetricKind.Histogram, labels);
        var bucket = 0;
        while (bucket < metric.Buckets.Count && value > metric.Buckets[bucket]) bucket++;
        lock (_gate)
            series.Change(labels, p =>
            {
                p.Value += value;
                p.Counts[bucket]++;
            });
        series.Histogram!.Record(value, series.Tags(labels));
    }

    /// <summary>All metrics with their values, as of one moment.</summary>
    public IReadOnlyList<(MetricDefinition Metric, IReadOnlyList<MetricSample> Samples)> Collect()
    {
        lock (_gate)
            return [.. _series.Values.Select(s => (s.Metric, (IReadOnlyList<MetricSample>)[.. s.Samples()]))];
    }

    public void Dispose() => _meter.Dispose();

    private Series Find(MetricDefinition metric, MetricKind kind, ReadOnlySpan<string> labels)
    {
        if (!_series.TryGetValue(metric.Name, out var series)) throw new ArgumentException($"{metric.Name} is not registered.", nameof(metric));
        if (metric.Kind != kind) throw new ArgumentException($"{metric.Name} is a {metric.Kind}, not a {kind}.", nameof(metric));
        if (labels.Length != metric.Labels.Count)
            throw new ArgumentException($"{metric.Name} has {metric.Labels.Count} labels, not {labels.Length}.", nameof(labels));
        return series;
    }

    private sealed class Point(IReadOnlyList<string> labels, int buckets)
    {
        public IReadOnlyList<string> Labels { get; } = labels;

        public double Value { get; set; }

        public long[] Counts { get; } = new long[buckets];
    }

    private sealed class Series(MetricDefinition metric, Meter meter)
    {
        private readonly SortedDictionary<string, Point> _points = new(StringComparer.Ordinal);

        public MetricDefinition Metric { get; } = metric;

        public Counter<double>? Counter { get; } =
            metric.Kind == MetricKind.Counter ? meter.CreateCounter<double>(metric.Name, null, metric.Help) : null;

        public Gauge<double>? Gauge { get; } = metric.Kind == MetricKind.Gauge ? meter.CreateGauge<double>(metric.Name, null, metric.Help) : null;

        public Histogram<double>? Histogram { get; } = metric.Kind == MetricKind.Histogram
            ? meter.CreateHistogram(metric.Name, null, metric.Help, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = metric.Buckets })
            : null;

        public void Change(ReadOnlySpan<string> labels, Action<Point> change)
        {
            var key = string.Join('\0', labels!);
            if (!_points.TryGetValue(key, out var point))
            {
                if (_points.Count >= MaximumSeries) return;
                _points.Add(key, point = new Point([.. labels], Metric.Kind == MetricKind.Histogram ? Metric.Buckets.Count + 1 : 0));
            }

            change(point);
        }

        public IEnumerable<MetricSample> Samples() => _points.Values.Select(p => new MetricSample(p.Labels, p.Value, [.. p.Counts]));

        public KeyValuePair<string, object?>[] Tags(ReadOnlySpan<string> labels)
        {
            var tags = new KeyValuePair<string, object?>[labels.Length];
            for (var i = 0; i < labels.Length; i++) tags[i] = new(Metric.Labels[i], labels[i]);
            return tags;
        }
    }
}
