using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>
/// The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677; PostgreSQL manual, 55.3.1): proves that we know the password without sending
/// it, and that the server does too. Without channel binding: the exchange runs under TLS or on a trusted path.
/// </summary>
internal sealed class ScramSha256
{
    public const string Mechanism = "SCRAM-SHA-256";

    // A hostile server could otherwise keep us hashing for ever.
    private const int MaximumIterations = 10_000_000;
    private const string ChannelBinding = "n,,";

    private readonly byte[] _password;
    private readonly string _clientFirstBare;
    private readonly string _nonce;
    private byte[]? _serverSignature;

    public ScramSha256(string password, string? nonce = null)
    {
        _password = Encoding.UTF8.GetBytes(Prepare(password));
        _nonce = nonce ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        // PostgreSQL takes the user's name from the startup message and ignores it here.
        _clientFirstBare = $"n=,r={_nonce}";
    }

    public string ClientFirst => ChannelBinding + _clientFirstBare;

    /// <summary>Answers <c>r=nonce,s=salt,i=iterations</c>.</summary>
    /// <exception cref="PostgresProtocolException">The server's message is not one of this exchange.</exception>
    public string ClientFinal(string serverFirst)
    {
        var parts = serverFirst.Split(',');
        if (parts.Length < 3 || !parts[0].StartsWith("r=", StringComparison.Ordinal) || !parts[1].StartsWith("s=", StringComparison.Ordinal)
            || !parts[2].StartsWith("i=", StringComparison.Ordinal)) throw Broken();
        var nonce = parts[0][2..];
        if (!nonce.StartsWith(_nonce, StringComparison.Ordinal) || nonce.Length == _nonce.Length) throw Broken();
        var salt = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1][2..], salt, out var saltLength) || saltLength == 0) throw Broken();
        if (!int.TryParse(parts[2].AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < 1 or > MaximumIterations) throw Broken();

        var salted = Rfc2898DeriveBytes.Pbkdf2(_password, salt.AsSpan(0, saltLength), iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var storedKey = SHA256.HashData(clientKey);
        var withoutProof = $"c={Convert.ToBase64String(Encoding.ASCII.GetBytes(ChannelBinding))},r={nonce}";
        var message = Encoding.UTF8.GetBytes($"{_clientFirstBare},{serverFirst},{withoutProof}");
        var proof = HMACSHA256.HashData(storedKey, message);
        for (var i = 0; i < proof.Length; i++) proof[i] ^= clientKey[i];
        _serverSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(clientKey);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    /// <summary>Checks <c>v=signature</c>, in constant time.</summary>
    /// <exception cref="PostgresProtocolException">The server does not know the password: it is not the one it seems to be.</exception>
    public void Verify(string serverFinal)
    {
        var expected = _serverSignature ?? throw Broken();
        var given = new byte[SHA256.HashSizeInBytes + 3];
        if (!serverFinal.StartsWith("v=", StringComparison.Ordinal)) throw Broken();
        var text = serverFinal.AsSpan(2);
        var comma = text.IndexOf(',');
        if (comma >= 0) text = text[..comma];
        if (!Convert.TryFromBase64Chars(text, given, out var length)
            || !CryptographicOperations.FixedTimeEquals(given.AsSpan(0, length), expected))
            throw new PostgresProtocolException("FATAL", "28000", "The server could not prove that it knows the password; it may be an impostor.");
        CryptographicOperations.ZeroMemory(_password);
    }

    /// <summary>
    /// SASLprep (RFC 4013) as far as it changes what people type: other spaces become spaces, soft hyphens and joiners vanish, then NFKC.
    /// Like the server, falls back to the bytes as they are where preparation is not possible.
    /// </summary>
    internal static string Prepare(string password)
    {
        if (Ascii.IsValid(password)) return password;
        var text = new StringBuilder(password.Length);
        foreach (var c in password)
        {
            if (c is '\u00AD' or '\u034F' or '\u1806' or '\u180B' or '\u180C' or '\u180D' or '\u200B' or '\u200C' or '\u200D' or '\u2060'
                or '\uFEFF' or (>= '\uFE00' and <= '\uFE0F')) continue;
            text.Append(char.GetUnicodeCategory(c) == UnicodeCategory.SpaceSeparator ? ' ' : c);
        }

        try
        {
            var prepared = text.ToString().Normalize(NormalizationForm.FormKC);
            return prepared.Length == 0 || prepared.Any(char.IsControl) ? password : prepared;
        }
        catch (ArgumentException)
        {
            return password;
        }
    }

    private static PostgresProtocolException Broken() => PostgresProtocolException.Violation("The server broke the SCRAM exchange.");
}
