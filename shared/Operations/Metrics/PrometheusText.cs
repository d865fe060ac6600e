using System.Globalization;
using System.Text;

namespace FunctionsBackup.Operations.Metrics;

/// <summary>Writes metrics in Prometheus' text exposition format, version 0.0.4.</summary>
public static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>All metrics that have values.</summary>
    public static string Write(MetricRegistry registry)
    {
        var text = new StringBuilder(4096);
        foreach (var (metric, samples) in registry.Collect())
        {
            if (samples.Count == 0) continue;
            text.Append("# HELP ").Append(metric.Name).Append(' ');
            Escape(text, metric.Help, quotes: false).Append('\n');
            text.Append("# TYPE ").Append(metric.Name).Append(' ').Append(metric.Kind switch
            {
                MetricKind.Counter => "counter",
                MetricKind.Gauge => "gauge",
                _ => "histogram",
            }).Append('\n');
            foreach (var sample in samples)
            {
                if (metric.Kind == MetricKind.Histogram) WriteHistogram(text, metric, sample);
                else WriteSample(text, metric, "", sample.Labels, null, sample.Value);
            }
        }

        return text.ToString();
    }

    private static void WriteHistogram(StringBuilder text, MetricDefinition metric, MetricSample sample)
    {
        var sum = 0L;
        for (var i = 0; i < sample.Counts.Count; i++)
        {
            sum += sample.Counts[i];
            WriteSample(text, metric, "_bucket", sample.Labels, i < metric.Buckets.Count ? Number(metric.Buckets[i]) : "+Inf", sum);
        }

        WriteSample(text, metric, "_sum", sample.Labels, null, sample.Value);
        WriteSample(text, metric, "_count", sample.Labels, null, sum);
    }

    private static void WriteSample(
        StringBuilder text, MetricDefinition metric, string suffix, IReadOnlyList<string> labels, string? bound, double value)
    {
        text.Append(metric.Name).Append(suffix);
        if (labels.Count > 0 || bound is not null)
        {
            text.Append('{');
            for (var i = 0; i < labels.Count; i++)
            {
                if (i > 0) text.Append(',');
                text.Append(metric.Labels[i]).Append("=\"");
                Escape(text, labels[i], quotes: true).Append('"');
            }

            if (bound is not null) text.Append(labels.Count > 0 ? "," : "").Append("le=\"").Append(bound).Append('"');
            text.Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static StringBuilder Escape(StringBuilder text, string value, bool quotes)
    {
        foreach (var c in value)
            _ = c switch
            {
                '\\' => text.Append(@"\\"),
                '\n' => text.Append(@"\n"),
                '"' when quotes => text.Append("\\\""),
                _ => text.Append(c),
            };
        return text;
    }
}
