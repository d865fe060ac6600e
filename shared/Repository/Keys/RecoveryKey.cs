using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// 256 random bits that open the repository when the passphrase is lost. People keep it on paper or in a safe as
/// <c>FBRK-XXXX-…</c>: 14 groups of 4 characters of Crockford's base 32, the last 24 bits a checksum.
/// </summary>
public sealed class RecoveryKey : IDisposable
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const string Prefix = "FBRK";
    private const int KeySize = 32;
    private const int ChecksumSize = 3;
    private const int Characters = (KeySize + ChecksumSize) * 8 / 5;
    private const int Group = 4;

    private readonly SecretBytes _bytes;

    private RecoveryKey(SecretBytes bytes) => _bytes = bytes;

    internal ReadOnlySpan<byte> Bytes => _bytes.Span;

    public static RecoveryKey Create() => new(SecretBytes.Random(KeySize));

    /// <summary>
    /// Reads a key as people type it: any case, spaces or dashes anywhere, O for 0, I or L for 1, the prefix left out. Of a text of
    /// several lines the line that begins with <c>FBRK</c> counts.
    /// </summary>
    /// <exception cref="WrongKeyException">It is not a recovery key, or has a typing mistake.</exception>
    public static RecoveryKey Parse(string text)
    {
        var line = text.Split('\n').FirstOrDefault(l => l.Trim().StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) ?? text;
        ReadOnlySpan<char> characters = line.Where(c => !char.IsWhiteSpace(c) && c != '-').ToArray();
        if (characters.Length != Characters && characters.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            characters = characters[Prefix.Length..];
        if (characters.Length != Characters)
        {
            throw new WrongKeyException(
                $"A recovery key has {Characters} characters after {Prefix}, this one has {characters.Length}: compare it with your copy.");
        }

        Span<byte> bytes = stackalloc byte[KeySize + ChecksumSize];
        bytes.Clear();
        try
        {
            for (var i = 0; i < Characters; i++)
            {
                var value = Value(characters[i]);
                if (value < 0)
                {
                    throw new WrongKeyException(
                        $"Character {i % Group + 1} of group {i / Group + 1} of the recovery key is none that such keys have: "
                        + "compare it with your copy.");
                }

                for (var bit = 0; bit < 5; bit++)
                    if ((value & (16 >> bit)) != 0) bytes[(i * 5 + bit) >> 3] |= (byte)(128 >> ((i * 5 + bit) & 7));
            }

            Span<byte> checksum = stackalloc byte[ChecksumSize];
            WriteChecksum(bytes[..KeySize], checksum);
            return CryptographicOperations.FixedTimeEquals(checksum, bytes[KeySize..])
                ? new RecoveryKey(SecretBytes.Copy(bytes[..KeySize]))
                : throw new WrongKeyException("The recovery key has a typing mistake (its checksum is wrong): compare it with your copy.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>The readable form. A string cannot be wiped: ask for it once, to show it.</summary>
    public string ToText()
    {
        Span<byte> bytes = stackalloc byte[KeySize + ChecksumSize];
        Bytes.CopyTo(bytes);
        WriteChecksum(Bytes, bytes[KeySize..]);
        var text = new StringBuilder(Prefix, Prefix.Length + Characters / Group * (Group + 1));
        for (var i = 0; i < Characters; i++)
        {
            if (i % Group == 0) text.Append('-');
            var value = 0;
            for (var bit = i * 5; bit < i * 5 + 5; bit++) value = value << 1 | ((bytes[bit >> 3] >> (7 - (bit & 7))) & 1);
            text.Append(Alphabet[value]);
        }

        CryptographicOperations.ZeroMemory(bytes);
        return text.ToString();
    }

    public void Dispose() => _bytes.Dispose();

    /// <summary>Never the content.</summary>
    public override string ToString() => "a recovery key";

    private static int Value(char character) => char.ToUpperInvariant(character) switch
    {
        'O' => 0,
        'I' or 'L' => 1,
        var c => Alphabet.IndexOf(c),
    };

    private static void WriteChecksum(ReadOnlySpan<byte> key, Span<byte> checksum)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. "FunctionsBackup recovery key 1"u8, .. key], hash);
        hash[..ChecksumSize].CopyTo(checksum);
    }
}
