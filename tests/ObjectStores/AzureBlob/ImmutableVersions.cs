using System.Collections.Concurrent;
using System.Globalization;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.AzureBlob;

/// <summary>
/// Version-level immutability, which the emulator has not, as strict as the service: a policy set with an upload or afterwards; a locked
/// one is only extended; a delete of the current version makes it a previous one; a version that is protected cannot be deleted.
/// </summary>
internal sealed class ImmutableVersions(TimeProvider time) : IStandIn
{
    private const string Until = "x-ms-immutability-policy-until-date", Mode = "x-ms-immutability-policy-mode";

    private readonly ConcurrentDictionary<string, Policy> _policies = new(); // by version
    private readonly ConcurrentDictionary<string, string> _current = new();  // path to version
    private int _number;

    /// <summary>The emulator's answer to policies on uploads: silence. They must be set afterwards.</summary>
    public bool IgnoresUploads { get; init; }

    /// <summary>Previous versions that are still there.</summary>
    public ConcurrentDictionary<string, string> Previous { get; } = new(); // version to path

    public ValueTask<StandInAnswer?> AnswerAsync(ProxiedRequest request)
    {
        var (path, query) = Split(request);
        if (query.Contains("comp=immutabilityPolicies", StringComparison.Ordinal)) return ValueTask.FromResult<StandInAnswer?>(Set(path, request));
        if (request.Method != "DELETE") return ValueTask.FromResult<StandInAnswer?>(null);
        if (query.Split('&').FirstOrDefault(q => q.StartsWith("versionid=", StringComparison.Ordinal)) is not { } named)
            return ValueTask.FromResult<StandInAnswer?>(null);
        var version = Uri.UnescapeDataString(named[10..]);
        if (_policies.TryGetValue(version, out var policy) && policy.Until > time.GetUtcNow())
            return ValueTask.FromResult<StandInAnswer?>(Error(409, "BlobImmutableDueToPolicy"));
        return ValueTask.FromResult<StandInAnswer?>(
            Previous.TryRemove(version, out _) ? new StandInAnswer(202, new Dictionary<string, string>(), "") : Error(404, "BlobNotFound"));
    }

    public IReadOnlyDictionary<string, string> Amend(ProxiedRequest request, int status)
    {
        var headers = new Dictionary<string, string>();
        var (path, query) = Split(request);
        if (query.Contains("restype=container", StringComparison.Ordinal))
        {
            headers["x-ms-immutable-storage-with-versioning-enabled"] = "true";
            return headers;
        }

        if (status >= 300) return headers;
        if (request.Method == "PUT" && (query.Length == 0 || query.Contains("comp=blocklist", StringComparison.Ordinal)))
        {
            var version = string.Create(CultureInfo.InvariantCulture, $"2026-11-26T00:00:00.{Interlocked.Increment(ref _number):0000000}Z");
            _current[path] = version;
            if (!IgnoresUploads && request.Headers.TryGetValue(Until, out var until))
                _policies[version] = new Policy(Parse(until), request.Headers[Mode]);
        }
        else if (request.Method == "DELETE" && _current.TryRemove(path, out var gone))
        {
            Previous[gone] = path;
        }
        else if (_current.TryGetValue(path, out var version))
        {
            headers["x-ms-version-id"] = version;
            if (_policies.TryGetValue(version, out var policy)) Tell(headers, policy);
        }

        return headers;
    }

    private StandInAnswer Set(string path, ProxiedRequest request)
    {
        if (!_current.TryGetValue(path, out var version)) return Error(404, "BlobNotFound");
        var wanted = new Policy(Parse(request.Headers[Until]), request.Headers[Mode]);
        if (wanted.Until <= time.GetUtcNow()) return Error(400, "InvalidHeaderValue");
        if (_policies.TryGetValue(version, out var there) && Is(there, "locked") && (wanted.Until < there.Until || !Is(wanted, "locked")))
            return Error(409, "BlobImmutableDueToPolicy");
        _policies[version] = wanted;
        var headers = new Dictionary<string, string>();
        Tell(headers, wanted);
        return new StandInAnswer(200, headers, "");
    }

    private static bool Is(Policy policy, string mode) => policy.Mode.Equals(mode, StringComparison.OrdinalIgnoreCase);

    private static void Tell(Dictionary<string, string> headers, Policy policy)
    {
        headers[Until] = policy.Until.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        headers[Mode] = policy.Mode.ToLowerInvariant();
    }

    private static DateTimeOffset Parse(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static (string Path, string Query) Split(ProxiedRequest request)
    {
        var parts = request.Target.Split('?', 2);
        return (parts[0], parts.Length > 1 ? parts[1] : "");
    }

    private static StandInAnswer Error(int status, string code) => new(
        status, new Dictionary<string, string> { ["x-ms-error-code"] = code, ["Content-Type"] = "application/xml" },
        $"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>");

    private sealed record Policy(DateTimeOffset Until, string Mode);
}
