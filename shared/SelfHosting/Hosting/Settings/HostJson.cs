using System.Globalization;
using System.Text.Json;

namespace FunctionsBackup.SelfHosting.Hosting.Settings;

/// <summary>What this host takes from <c>host.json</c>; the rest of that file is for Azure. Source: the host.json reference, version 2.</summary>
public sealed record HostJson
{
    /// <summary>What the reference has below <c>extensions.http</c>; the last three are for Azure.</summary>
    private static readonly string[] HttpKeys =
        ["routePrefix", "maxConcurrentRequests", "maxOutstandingRequests", "dynamicThrottlesEnabled", "hsts", "customHeaders"];

    /// <summary>Before every route; empty: none.</summary>
    public string RoutePrefix { get; init; } = "api";

    /// <summary>How many requests functions work on at once, others wait; null: as many as come.</summary>
    public int? MaxConcurrentRequests { get; init; }

    /// <summary>How many requests may be there, those that wait included; more are refused with 429. Null: no limit.</summary>
    public int? MaxOutstandingRequests { get; init; }

    /// <summary>Null: as the engine has it.</summary>
    public int? MaxConcurrentActivities { get; init; }

    /// <summary>Null: as the engine has it.</summary>
    public int? MaxConcurrentOrchestrators { get; init; }

    /// <summary>How long a function may run before its token is cancelled; null: as long as it needs.</summary>
    public TimeSpan? FunctionTimeout { get; init; }

    /// <summary>What a file says; the defaults if there is none.</summary>
    /// <exception cref="HostingException">It is not valid.</exception>
    public static HostJson Load(string path)
    {
        if (JsonSettingsFile.Read(path) is not { } root) return new HostJson();
        if (root.At("version") is not { ValueKind: JsonValueKind.String } version || version.GetString() != "2.0")
            throw new HostingException($"{path} must have \"version\": \"2.0\".");
        CheckHttp();
        return new HostJson
        {
            RoutePrefix = Prefix(),
            MaxConcurrentRequests = Requests("maxConcurrentRequests"),
            MaxOutstandingRequests = Requests("maxOutstandingRequests"),
            MaxConcurrentActivities = Count("durableTask", "maxConcurrentActivityFunctions"),
            MaxConcurrentOrchestrators = Count("durableTask", "maxConcurrentOrchestratorFunctions"),
            FunctionTimeout = Timeout(),
        };

        string Prefix()
        {
            if (root.At("extensions", "http", "routePrefix") is not { } value) return "api";
            var prefix = value.ValueKind == JsonValueKind.String ? value.GetString()! : "?";
            return prefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.')
                ? prefix.Trim('/')
                : throw new HostingException($"{path}: extensions.http.routePrefix must be a path of letters, digits, '-', '_', '.' and '/'.");
        }

        void CheckHttp()
        {
            if (root.At("extensions", "http") is not { ValueKind: JsonValueKind.Object } http) return;
            foreach (var property in http.EnumerateObject().Where(p => !HttpKeys.Contains(p.Name)))
                throw new HostingException($"{path}: extensions.http.{property.Name} is no setting; there are {string.Join(", ", HttpKeys)}.");
        }

        // -1 is Azure's word for no limit.
        int? Requests(string key) =>
            root.At("extensions", "http", key) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) && number == -1
                ? null
                : Count("http", key);

        int? Count(string extension, string key)
        {
            if (root.At("extensions", extension, key) is not { } value) return null;
            return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number is >= 1 and <= 10_000
                ? number
                : throw new HostingException($"{path}: extensions.{extension}.{key} must be a whole number from 1 to 10000.");
        }

        TimeSpan? Timeout()
        {
            if (root.At("functionTimeout") is not { } value) return null;
            var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            if (text == "-1") return null;
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout) && timeout > TimeSpan.Zero
                ? timeout
                : throw new HostingException($"{path}: functionTimeout must be \"hh:mm:ss\", or \"-1\" for none.");
        }
    }
}
