using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.Tests.Servers;

/// <summary>Checks AWS's Signature Version 4 of a request, as the services do.</summary>
internal static class SignatureV4
{
    /// <summary>Null if the request is signed as it must be, or what is wrong with it.</summary>
    public static string? FindProblem(HttpRequest request, byte[] body, string accessKey, string secretKey, string region, string service)
    {
        const string scheme = "AWS4-HMAC-SHA256 ";
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(scheme, StringComparison.Ordinal)) return "no signature";
        var fields = header[scheme.Length..].Split(',', StringSplitOptions.TrimEntries).Select(f => f.Split('=', 2)).ToDictionary(f => f[0], f => f[1]);
        var scope = fields["Credential"].Split('/');
        if (scope is not [var key, var day, var itsRegion, var itsService, "aws4_request"]) return "malformed credential";
        if (key != accessKey) return "unknown access key";
        if (itsRegion != region) return $"signed for region {itsRegion}, not {region}";
        if (itsService != service) return $"signed for service {itsService}";
        var date = request.Headers["X-Amz-Date"].ToString();
        if (!DateTimeOffset.TryParseExact(date, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            || !date.StartsWith(day, StringComparison.Ordinal) || (TimeProvider.System.GetUtcNow() - at).Duration() > TimeSpan.FromMinutes(5))
            return "out of time";
        var signed = fields["SignedHeaders"].Split(';');
        if (!signed.Contains("host") || !signed.Contains("x-amz-date") || !signed.Contains("x-amz-target")) return "headers that are not signed";
        var hash = Convert.ToHexStringLower(SHA256.HashData(body));
        var headers = string.Concat(signed.Select(name => $"{name}:{request.Headers[name].ToString().Trim()}\n"));
        var canonical = $"{request.Method}\n{request.Path}\n\n{headers}\n{fields["SignedHeaders"]}\n{hash}";
        var text = $"AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n"
            + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
        var signing = new[] { day, region, service, "aws4_request" }.Aggregate(
            Encoding.UTF8.GetBytes("AWS4" + secretKey), (k, part) => HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(signing, Encoding.UTF8.GetBytes(text))) == fields["Signature"] ? null : "wrong signature";
    }
}
