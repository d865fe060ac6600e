using System.Globalization;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>Whom to connect to, and as whom. Holds the password: never logged, and <see cref="ToString"/> leaves it out.</summary>
public sealed class ServerEndpoint
{
    public required string Host { get; init; }

    public int Port { get; init; } = 5432;

    public required string User { get; init; }

    public string? Password { get; init; }

    public SslMode SslMode { get; init; } = SslMode.Prefer;

    /// <summary>PEM file of the authorities trusted by <c>verify-ca</c> and <c>verify-full</c>; null: the system's.</summary>
    public string? RootCertificate { get; init; }

    /// <summary>PEM file of the client's certificate, and of its key when apart.</summary>
    public string? ClientCertificate { get; init; }

    public string? ClientKey { get; init; }

    public string? ClientKeyPassword { get; init; }

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A host that begins with <c>/</c> is the directory of a Unix-domain socket.</summary>
    public bool IsUnixSocket => Host.StartsWith('/');

    public string SocketPath => string.Create(CultureInfo.InvariantCulture, $"{Host.TrimEnd('/')}/.s.PGSQL.{Port}");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    /// <summary>Fills what is missing as libpq and Npgsql do: from PGUSER, PGPASSWORD, the password file, and the system's user.</summary>
    /// <exception cref="FormatException">The connection string cannot be read.</exception>
    public static ServerEndpoint From(string connectionString)
    {
        var builder = PostgresConnectionString.Parse(connectionString);
        // With several hosts the first is the one to back up; which of them answers must not be left to chance.
        var host = string.IsNullOrEmpty(builder.Host) ? "localhost" : builder.Host.Split(',')[0];
        var port = builder.Port;
        var colon = host.LastIndexOf(':');
        if (!host.StartsWith('/') && colon > 0 && host.IndexOf(':') == colon && ushort.TryParse(host.AsSpan(colon + 1), out var own))
            (host, port) = (host[..colon], own);
        var user = builder.Username ?? Environment.GetEnvironmentVariable("PGUSER") ?? Environment.UserName;
        var database = builder.Database ?? user;
        return new ServerEndpoint
        {
            Host = host,
            Port = port,
            User = user,
            Password = builder.Password
                ?? Environment.GetEnvironmentVariable("PGPASSWORD")
                ?? PasswordFile.Find(builder.Passfile, host, port, database, user),
            SslMode = builder.SslMode,
            RootCertificate = builder.RootCertificate,
            ClientCertificate = builder.SslCertificate,
            ClientKey = builder.SslKey,
            ClientKeyPassword = builder.SslPassword,
            ConnectTimeout = builder.Timeout > 0 ? TimeSpan.FromSeconds(builder.Timeout) : Timeout.InfiniteTimeSpan,
        };
    }

}
