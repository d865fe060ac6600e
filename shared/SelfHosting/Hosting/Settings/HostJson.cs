using System.Globalization;
using System.Text.Json;

namespace FunctionsBackup.SelfHosting.Hosting.Settings;

/// <summary>What this host takes from <c>host.json</c>; the rest of that file is for Azure. Source: the host.json reference, version 2.</summary>
public sealed record HostJson
{
    /// <summary>Before every route; empty: none.</summary>
    public string RoutePrefix { get; init; } = "api";

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
        return new HostJson
        {
            RoutePrefix = Prefix(),
            MaxConcurrentActivities = Count("maxConcurrentActivityFunctions"),
            MaxConcurrentOrchestrators = Count("maxConcurrentOrchestratorFunctions"),
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

        int? Count(string key)
        {
            if (root.At("extensions", "durableTask", key) is not { } value) return null;
            return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number is >= 1 and <= 10_000
                ? number
                : throw new HostingException($"{path}: extensions.durableTask.{key} must be a whole number from 1 to 10000.");
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
