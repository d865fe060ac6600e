using System.Globalization;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>Reads both forms of a connection string: Npgsql's <c>Host=…;Username=…</c> and libpq's <c>postgresql://user@host/db</c>.</summary>
public static class PostgresConnectionString
{
    /// <exception cref="FormatException">The text is neither; the message does not repeat it, since it may hold a password.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        try
        {
            return IsUri(text) ? FromUri(text) : new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception exception) when (exception is ArgumentException or UriFormatException or KeyNotFoundException)
        {
            // The inner exception may quote the text, so it is left out.
            throw new FormatException(
                "The PostgreSQL connection string cannot be read; write Host=…;Port=…;Username=…;Database=… or postgresql://user@host:port/database.");
        }
    }

    private static bool IsUri(string text) =>
        text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    // PostgreSQL manual, 34.1.1.2 Connection URIs: any part may be missing, and the query may set every parameter.
    private static NpgsqlConnectionStringBuilder FromUri(string text)
    {
        var builder = new NpgsqlConnectionStringBuilder();
        var rest = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var query = "";
        var question = rest.IndexOf('?');
        if (question >= 0) (rest, query) = (rest[..question], rest[(question + 1)..]);
        var slash = rest.IndexOf('/');
        if (slash >= 0)
        {
            if (slash + 1 < rest.Length) builder.Database = Uri.UnescapeDataString(rest[(slash + 1)..]);
            rest = rest[..slash];
        }

        var at = rest.LastIndexOf('@');
        if (at >= 0)
        {
            var user = rest[..at];
            var colon = user.IndexOf(':');
            if (colon >= 0) builder.Password = Uri.UnescapeDataString(user[(colon + 1)..]);
            user = colon >= 0 ? user[..colon] : user;
            if (user.Length > 0) builder.Username = Uri.UnescapeDataString(user);
            rest = rest[(at + 1)..];
        }

        SetHost(builder, rest);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            if (equals < 1) throw new ArgumentException("A parameter has no value.");
            Set(builder, pair[..equals], Uri.UnescapeDataString(pair[(equals + 1)..]));
        }

        return builder;
    }

    private static void SetHost(NpgsqlConnectionStringBuilder builder, string authority)
    {
        if (authority.Length == 0) return;
        var bracket = authority.LastIndexOf(']');
        var colon = authority.IndexOf(':', Math.Max(bracket, 0));
        var host = colon >= 0 ? authority[..colon] : authority;
        if (colon >= 0 && colon + 1 < authority.Length) builder.Port = Port(authority[(colon + 1)..]);
        host = Uri.UnescapeDataString(host.TrimStart('[').TrimEnd(']'));
        if (host.Length > 0) builder.Host = host;
    }

    private static int Port(string text) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
        ? port
        : throw new ArgumentException("The port is not a number from 1 to 65535.");

    private static void Set(NpgsqlConnectionStringBuilder builder, string name, string value)
    {
        switch (name)
        {
            case "host" or "hostaddr": builder.Host = value; break;
            case "port": builder.Port = Port(value); break;
            case "user": builder.Username = value; break;
            case "password": builder.Password = value; break;
            case "dbname": builder.Database = value; break;
            case "passfile": builder.Passfile = value; break;
            case "sslmode": builder["SSL Mode"] = value.Replace("-", "", StringComparison.Ordinal); break;
            case "sslrootcert": builder.RootCertificate = value; break;
            case "sslcert": builder.SslCertificate = value; break;
            case "sslkey": builder.SslKey = value; break;
            case "sslpassword": builder.SslPassword = value; break;
            case "connect_timeout": builder.Timeout = int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture); break;
            case "application_name": builder.ApplicationName = value; break;
            case "options": builder.Options = value; break;
            default: throw new ArgumentException("A parameter is not known.");
        }
    }
}
