namespace FunctionsBackup.Operations.Metrics;

/// <summary>What a metric is to Prometheus.</summary>
public enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Observations in buckets, with their sum and number.</summary>
    Histogram,
}

/// <summary>A metric, declared.</summary>
/// <param name="Name">As Prometheus sees it, unit and <c>_total</c> included.</param>
/// <param name="Kind">Its type.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Labels">Names of its labels, in order.</param>
public sealed record MetricDefinition(string Name, MetricKind Kind, string Help, IReadOnlyList<string> Labels)
{
    /// <summary>Upper bounds of the buckets of a histogram, ascending; the last one, +Inf, is not among them.</summary>
    public IReadOnlyList<double> Buckets { get; init; } = [];
}
