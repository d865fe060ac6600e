using System.Text;
using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>Fetches secrets when they are needed, and never says what they are.</summary>
/// <param name="environment">The variables that <c>env:</c> looks in.</param>
/// <param name="warn">Told of what is unwise, one sentence each.</param>
public sealed class SecretResolver(IReadOnlyDictionary<string, string> environment, Action<string> warn)
{
    private const int MaximumBytes = 64 << 10;

    /// <param name="reference">Where it is.</param>
    /// <param name="purpose">The setting that names it, for errors: <c>keys.passphrase</c>.</param>
    /// <exception cref="ConfigurationException">It is not there, empty, or its kind is not available.</exception>
    public string Resolve(SecretReference reference, string purpose)
    {
        var secret = reference.Kind switch
        {
            SecretKind.Environment => environment.TryGetValue(reference.Name, out var value)
                ? value
                : throw new ConfigurationException(
                    $"The environment variable {reference.Name}, which {purpose} names, is not set; set it and run this again."),
            SecretKind.File => ReadFile(reference.Name, purpose),
            _ => throw new ConfigurationException(
                $"{purpose} names a Key Vault secret, and Key Vault is not available in this build yet; use env:NAME or file:PATH."),
        };
        return secret.Length > 0 ? secret
            : throw new ConfigurationException($"{reference}, which {purpose} names, is empty; put the secret there.");
    }

    private string ReadFile(string path, string purpose)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var bytes = new byte[MaximumBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MaximumBytes) throw new ConfigurationException(
                $"The file {path}, which {purpose} names, is larger than 64 KiB; is it the right one?");
            if ((File.GetUnixFileMode(stream.SafeFileHandle) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
                warn($"The file {path}, which {purpose} names, can be read by everybody on this machine; run chmod 600 on it.");
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (DecoderFallbackException)
        {
            throw new ConfigurationException($"The file {path}, which {purpose} names, is not UTF-8 text; save the secret as plain text.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var why = e is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : "cannot be read";
            throw new ConfigurationException(
                $"The file {path}, which {purpose} names, {why}; put the secret there or name another file.", e);
        }
    }
}
