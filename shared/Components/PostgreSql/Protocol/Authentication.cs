using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>The exchange after the startup message, until AuthenticationOk (PostgreSQL manual, 55.2.1).</summary>
internal static class Authentication
{
    private enum Request
    {
        Ok = 0,
        CleartextPassword = 3,
        Md5Password = 5,
        Sasl = 10,
        SaslContinue = 11,
        SaslFinal = 12,
    }

    /// <exception cref="PostgresProtocolException">The server refuses, asks for what we cannot give, or cannot prove who it is.</exception>
    public static async ValueTask RunAsync(
        ServerEndpoint endpoint, MessageReader reader, MessageWriter writer, CancellationToken cancellationToken)
    {
        ScramSha256? scram = null;
        var scramVerified = false;
        while (true)
        {
            var type = await reader.NextAsync(cancellationToken);
            var body = await reader.BodyAsync(cancellationToken);
            switch (type)
            {
                case (byte)'E':
                    throw new MessageBody(body.Span).Error();
                case (byte)'N':
                    continue;
                case (byte)'v':
                    throw PostgresProtocolException.Violation("The server does not speak version 3 of the protocol.");
                case not (byte)'R':
                    throw PostgresProtocolException.Violation("The server sent something else than an authentication request.");
            }

            var (request, data) = Read(body.Span);
            switch (request)
            {
                case Request.Ok:
                    if (scram is not null && !scramVerified)
                        throw PostgresProtocolException.Violation("The server skipped its own half of the authentication; it may be an impostor.");
                    return;
                case Request.CleartextPassword:
                    await writer.PasswordAsync(Password(endpoint), cancellationToken);
                    break;
                case Request.Md5Password when data.Length == 4:
                    await writer.PasswordAsync(Md5Password.Answer(endpoint.User, Password(endpoint), data), cancellationToken);
                    break;
                case Request.Sasl when scram is null:
                    var mechanisms = Encoding.ASCII.GetString(data).Split('\0', StringSplitOptions.RemoveEmptyEntries);
                    if (!mechanisms.Contains(ScramSha256.Mechanism))
                        throw Unsupported(string.Join(", ", mechanisms));
                    scram = new ScramSha256(Password(endpoint));
                    await writer.SaslInitialResponseAsync(ScramSha256.Mechanism, scram.ClientFirst, cancellationToken);
                    break;
                case Request.SaslContinue when scram is not null:
                    await writer.SaslResponseAsync(scram.ClientFinal(Encoding.UTF8.GetString(data)), cancellationToken);
                    break;
                case Request.SaslFinal when scram is not null:
                    scram.Verify(Encoding.UTF8.GetString(data));
                    scramVerified = true;
                    break;
                default:
                    throw Unsupported($"number {(int)request}");
            }
        }
    }

    private static (Request Request, byte[] Data) Read(ReadOnlySpan<byte> body)
    {
        var message = new MessageBody(body);
        var request = (Request)message.Int32();
        return (request, message.Bytes(body.Length - 4).ToArray());
    }

    private static string Password(ServerEndpoint endpoint) => endpoint.Password ?? throw new PostgresProtocolException(
        "FATAL", "28P01", $"The server asks for a password of user {endpoint.User}; give one in the connection string, PGPASSWORD or ~/.pgpass.");

    private static PostgresProtocolException Unsupported(string what) => new(
        "FATAL", "28000", $"The server asks for an authentication method that is not supported ({what}); use scram-sha-256 in pg_hba.conf.");
}
