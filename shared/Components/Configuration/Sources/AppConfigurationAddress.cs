using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>A store of Azure App Configuration and what signs requests to it, from its connection string.</summary>
public sealed class AppConfigurationAddress
{
    private readonly string _id;
    private readonly byte[] _secret;

    private AppConfigurationAddress(Uri endpoint, string id, byte[] secret) => (Endpoint, _id, _secret) = (endpoint, id, secret);

    public Uri Endpoint { get; }

    /// <summary>Reads <c>Endpoint=https://…;Id=…;Secret=…</c>.</summary>
    /// <exception cref="ConfigurationSourceException">It is none; the message does not repeat it.</exception>
    public static AppConfigurationAddress Parse(string connection)
    {
        var parts = connection.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2)).Where(p => p.Length == 2)
            .GroupBy(p => p[0].Trim(), StringComparer.OrdinalIgnoreCase).ToDictionary(g => g.Key, g => g.Last()[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var secret = new byte[512];
        if (parts.TryGetValue("Endpoint", out var address) && Uri.TryCreate(address, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "https" or "http"
            && parts.TryGetValue("Id", out var id) && id.Length > 0
            && parts.TryGetValue("Secret", out var text) && Convert.TryFromBase64String(text, secret, out var length) && length > 0)
            return new AppConfigurationAddress(endpoint, id, secret[..length]);
        throw new ConfigurationSourceException(
            "The connection string of App Configuration is none; copy it from the store's access keys: Endpoint=https://…;Id=…;Secret=….");
    }

    /// <summary>Signs by HMAC-SHA256 (App Configuration REST reference: "HMAC authentication").</summary>
    internal HttpRequestMessage Sign(HttpRequestMessage request, byte[] body, DateTimeOffset now)
    {
        var date = now.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        var hash = Convert.ToBase64String(SHA256.HashData(body));
        var host = request.RequestUri!.Authority;
        var text = $"{request.Method.Method}\n{request.RequestUri.PathAndQuery}\n{date};{host};{hash}";
        var signature = Convert.ToBase64String(HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(text)));
        request.Headers.Host = host;
        request.Headers.TryAddWithoutValidation("x-ms-date", date);
        request.Headers.TryAddWithoutValidation("x-ms-content-sha256", hash);
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"HMAC-SHA256 Credential={_id}&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}");
        return request;
    }
}
