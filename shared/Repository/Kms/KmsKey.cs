using System.Security.Cryptography;
using Amazon;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Kms;

/// <summary>
/// A slot's key encrypted by a symmetric key of AWS KMS. The encryption context binds it to the repository and the slot, is checked by KMS
/// and stands in CloudTrail.
/// </summary>
public sealed class KmsKey : IKeyService
{
    private const string Algorithm = "SYMMETRIC_DEFAULT";

    private readonly KmsOptions _options;
    private readonly AmazonKeyManagementServiceClient _client;

    /// <exception cref="KeyServiceException">There are no credentials, or the region is not known.</exception>
    public KmsKey(KmsOptions options)
    {
        _options = options;
        var config = new AmazonKeyManagementServiceConfig { MaxErrorRetry = options.Retries, Timeout = options.Timeout };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.AuthenticationRegion = options.Key.Region;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Key.Region);
        }

        try
        {
            _client = options.Credentials is { } given
                ? new AmazonKeyManagementServiceClient(given, config)
                : new AmazonKeyManagementServiceClient(config);
        }
        catch (AmazonClientException e)
        {
            throw new KeyServiceException($"Cannot use the KMS key {options.Key}: {KmsErrors.Explain(e)}.", e);
        }
    }

    public string SlotKind => KeySlot.KmsKind;

    public string Key => _options.Key.ToString();

    public bool Owns(string key) => KmsKeyArn.TryParse(key, out var arn) && _options.Key.Covers(arn);

    public async ValueTask<WrappedKey> WrapAsync(SecretBytes plaintext, KeyBinding binding, CancellationToken cancellationToken)
    {
        var bytes = plaintext.Span.ToArray();
        try
        {
            using var stream = new MemoryStream(bytes);
            var request = new EncryptRequest { KeyId = Key, Plaintext = stream, EncryptionContext = Context(binding) };
            var answer = await CallAsync("encrypt with", token => _client.EncryptAsync(request, token), cancellationToken).ConfigureAwait(false);
            if (!Owns(answer.KeyId)) throw new KeyServiceException($"KMS encrypted with {answer.KeyId}, where {Key} was asked for.");
            return new WrappedKey(answer.KeyId, Algorithm, answer.CiphertextBlob.ToArray());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyBinding binding, CancellationToken cancellationToken)
    {
        if (!KmsKeyArn.TryParse(wrapped.Key, out var used) || !_options.Key.Covers(used))
            throw new ArgumentException("That is another key.", nameof(wrapped));
        if (wrapped.Algorithm != Algorithm)
            throw new KeyServiceException($"A key slot names the algorithm {wrapped.Algorithm}, where fbackup knows {Algorithm}: update fbackup.");
        using var stream = new MemoryStream(wrapped.Bytes.ToArray());
        var request = new DecryptRequest
        {
            // An alias may point elsewhere by now; a replica of the key unwraps in this region.
            KeyId = _options.Key.IsAlias ? used.ToString() : Key,
            CiphertextBlob = stream,
            EncryptionContext = Context(binding),
            EncryptionAlgorithm = EncryptionAlgorithmSpec.SYMMETRIC_DEFAULT,
        };
        var answer = await CallAsync("decrypt with", token => _client.DecryptAsync(request, token), cancellationToken).ConfigureAwait(false);
        using var plain = answer.Plaintext;
        var bytes = plain.ToArray();
        try
        {
            return SecretBytes.Copy(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            plain.Position = 0;
            if (plain.CanWrite) plain.Write(bytes);
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Not secret: KMS logs it.</summary>
    private static Dictionary<string, string> Context(KeyBinding binding) => new()
    {
        ["fbackup:repository"] = binding.RepositoryId, ["fbackup:slot"] = binding.SlotId,
    };

    private async ValueTask<T> CallAsync<T>(string what, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new KeyServiceException($"Cannot {what} the KMS key {Key}: {KmsErrors.Explain(e)}.", e) { MayPass = KmsErrors.MayPass(e) };
        }
    }
}
