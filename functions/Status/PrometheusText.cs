using System.Globalization;
using System.Text;

namespace FunctionsBackup.Functions.Status;

/// <summary>How the site stands, in the Prometheus text format 0.0.4.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Of(SiteStatus status)
    {
        var text = new StringBuilder();
        Gauge("last_success_timestamp", "When the newest recovery point was complete, seconds since 1970.",
            c => c.NewestCompletedAt?.ToUnixTimeMilliseconds() / 1000.0);
        Gauge("size_bytes", "Size of the newest recovery point as a restore would write it.", c => c.LogicalBytes);
        Gauge("actual_rpo_seconds", "What would be lost if the source were lost now.", c => c.LossSeconds);
        Gauge("objective_rpo_seconds", "The longest acceptable loss.", c => c.RpoSeconds);
        Gauge("predicted_rto_seconds", "How long a restore of the newest recovery point is estimated to take.", c => c.EstimatedRestoreSeconds);
        Gauge("objective_rto_seconds", "The longest acceptable restore.", c => c.RtoSeconds);
        Gauge("well", "1 if the component is protected, restorable and within its objectives.", c => c.Well ? 1 : 0);
        return text.ToString();

        void Gauge(string name, string help, Func<ComponentView, double?> value)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP voice_agent_backup_{name} {help}\n# TYPE voice_agent_backup_{name} gauge\n");
            foreach (var component in status.Components)
                if (value(component) is { } number)
                    text.Append(CultureInfo.InvariantCulture, $"voice_agent_backup_{name}{{component=\"{component.Component}\"}} {number:R}\n");
        }
    }
}
