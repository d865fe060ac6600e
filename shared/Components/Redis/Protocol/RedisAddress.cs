using System.Globalization;

namespace FunctionsBackup.Components.Redis.Protocol;

/// <summary>Where a server is, and who asks.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">Of TCP.</param>
/// <param name="Tls">Whether all goes through TLS.</param>
public sealed record RedisAddress(string Host, int Port, bool Tls)
{
    public const int DefaultPort = 6379;

    /// <summary>Null: the default user.</summary>
    public string? User { get; init; }

    /// <summary>Null: none.</summary>
    public string? Password { get; init; }

    /// <summary>File with the authorities that are trusted (PEM); null: the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Host and port, for people: without the password.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}");

    /// <summary>Reads <c>redis://[USER[:PASSWORD]@]HOST[:PORT]</c>, with <c>rediss</c> for TLS; <c>?ca_file=PATH</c> may follow. A path (the number of a database) is ignored.</summary>
    /// <exception cref="FormatException">It is none; the message does not repeat it.</exception>
    public static RedisAddress Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("redis" or "rediss") || uri.Host.Length == 0)
            throw new FormatException("The Redis connection must be redis://HOST:PORT or rediss://HOST:PORT, with USER:PASSWORD@ before the host if need be.");
        var (user, password) = ((string?)null, (string?)null);
        if (uri.UserInfo.Length > 0)
        {
            var parts = uri.UserInfo.Split(':', 2);
            (user, password) = (Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : null);
            // redis://PASSWORD@host is not unusual, but says a user.
            if (password is null) throw new FormatException("The Redis connection has a user without a password; write redis://USER:PASSWORD@HOST, or redis://:PASSWORD@HOST.");
        }

        string? ca = null;
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!pair.StartsWith("ca_file=", StringComparison.Ordinal)) throw new FormatException("Of the parameters of a Redis connection only ca_file is known.");
            ca = Uri.UnescapeDataString(pair["ca_file=".Length..]);
        }

        return new RedisAddress(uri.IdnHost.Trim('[', ']'), uri.Port > 0 ? uri.Port : DefaultPort, uri.Scheme == "rediss")
        {
            User = user is { Length: > 0 } ? user : null, Password = password, CaFile = ca,
        };
    }
}
