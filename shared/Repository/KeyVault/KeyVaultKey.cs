using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Azure.Core;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.KeyVault;

/// <summary>
/// A slot's key wrapped by an RSA key of Azure Key Vault or Managed HSM: wrapkey and unwrapkey with RSA-OAEP-256. Which version wraps is
/// asked first, so that the slot names the one that will unwrap it.
/// </summary>
public sealed class KeyVaultKey(KeyVaultOptions options) : IKeyService
{
    private const string Algorithm = "RSA-OAEP-256";
    private const int MaximumWrapped = 1024; // an RSA key of 8,192 bits

    private readonly KeyVaultClient _client = new(options);

    public string SlotKind => KeySlot.KeyVaultKind;

    public string Key => options.Key.ToString();

    /// <summary>The same key in the same vault, of whatever version.</summary>
    public bool Owns(string key) => KeyVaultAddress.TryParse(key, out var address) && address.IsSameKey(options.Key) && address.Version is not null;

    public async ValueTask<WrappedKey> WrapAsync(SecretBytes plaintext, KeyBinding binding, CancellationToken cancellationToken)
    {
        var version = options.Key.Version ?? await FindVersionAsync(cancellationToken).ConfigureAwait(false);
        var body = Body(plaintext.Span);
        var answer = Array.Empty<byte>();
        try
        {
            answer = await _client.SendAsync(RequestMethod.Post, Path(version, "wrapkey"), body, "wrap with", cancellationToken)
                .ConfigureAwait(false);
            var (kid, wrapped) = Read(answer);
            var used = KeyVaultAddress.TryParse(kid, out var address) && address.IsSameKey(options.Key) && address.Version is not null
                ? address
                : throw Malformed("names another key than it was asked for");
            return wrapped.Length is > 0 and <= MaximumWrapped && !wrapped.AsSpan().SequenceEqual(plaintext.Span)
                ? new WrappedKey(used.ToString(), Algorithm, wrapped)
                : throw Malformed("holds no wrapped key");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
            CryptographicOperations.ZeroMemory(answer);
        }
    }

    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyBinding binding, CancellationToken cancellationToken)
    {
        if (!Owns(wrapped.Key) || !KeyVaultAddress.TryParse(wrapped.Key, out var address))
            throw new ArgumentException("That is another key.", nameof(wrapped));
        if (wrapped.Algorithm != Algorithm)
            throw new KeyServiceException($"A key slot names the algorithm {wrapped.Algorithm}, where fbackup knows {Algorithm}: update fbackup.");
        var answer = Array.Empty<byte>();
        try
        {
            answer = await _client.SendAsync(
                RequestMethod.Post, Path(address.Version!, "unwrapkey"), Body(wrapped.Bytes.Span), "unwrap with", cancellationToken)
                .ConfigureAwait(false);
            var (_, plain) = Read(answer);
            try
            {
                return SecretBytes.Copy(plain);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(plain);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(answer);
        }
    }

    public void Dispose()
    {
        // The pipeline's connections are shared by the process.
    }

    /// <summary>The newest version, from the key's description.</summary>
    private async ValueTask<string> FindVersionAsync(CancellationToken cancellationToken)
    {
        var answer = await _client.SendAsync(RequestMethod.Get, $"keys/{options.Key.Name}/", null, "look up", cancellationToken).ConfigureAwait(false);
        try
        {
            using var document = JsonDocument.Parse(answer);
            var key = document.RootElement.GetProperty("key");
            if (key.GetProperty("kty").GetString() is not ("RSA" or "RSA-HSM"))
                throw new KeyServiceException($"The key {options.Key} of Key Vault is no RSA key: make one of kind RSA or RSA-HSM.");
            return KeyVaultAddress.TryParse(key.GetProperty("kid").GetString(), out var address) && address.IsSameKey(options.Key)
                && address.Version is { } version
                ? version
                : throw Malformed("names another key than it was asked for");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw Malformed("is not the description of a key");
        }
    }

    private string Path(string version, string operation) => $"keys/{options.Key.Name}/{version}/{operation}";

    private static byte[] Body(ReadOnlySpan<byte> value)
    {
        Span<byte> encoded = stackalloc byte[Base64Url.GetEncodedLength(MaximumWrapped * 8)];
        var length = Base64Url.EncodeToUtf8(value, encoded);
        byte[] body = [.. "{\"alg\":\"RSA-OAEP-256\",\"value\":\""u8, .. encoded[..length], .. "\"}"u8];
        CryptographicOperations.ZeroMemory(encoded);
        return body;
    }

    /// <summary>Reads <c>kid</c> and <c>value</c> without making a string of the value.</summary>
    private (string? Kid, byte[] Value) Read(byte[] answer)
    {
        string? kid = null;
        byte[]? value = null;
        try
        {
            var reader = new Utf8JsonReader(answer);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isKid = reader.ValueTextEquals("kid"u8);
                var isValue = reader.ValueTextEquals("value"u8);
                reader.Read();
                if (isKid) kid = reader.GetString();
                else if (isValue && reader.TokenType == JsonTokenType.String) value = Base64Url.DecodeFromUtf8(reader.ValueSpan);
                else reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw Malformed("is not the result of a key operation");
        }

        return value is null ? throw Malformed("has no value") : (kid, value);
    }

    private KeyServiceException Malformed(string what) => new($"The answer of {options.Key.Vault} {what}; is it a key vault?");
}
