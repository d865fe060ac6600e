using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.KeyVault;
using FunctionsBackup.Repository.Kms;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>
/// The keys that the configuration names, in the order in which they are tried: the passphrase first, which asks nobody and works when the
/// network does not, then services, then the recovery key. Each is fetched when it is asked for; disposing wipes what was fetched.
/// </summary>
public sealed class ConfiguredKeys(BackupSite site) : IDisposable
{
    private readonly List<IDisposable> _fetched = [];

    /// <summary>Where the keys come from: the setting or option, and how to fetch it.</summary>
    public IEnumerable<(string Name, Func<KeyCredential> Fetch)> All
    {
        get
        {
            if (site.Options.RecoveryKeyFile is { } file)
            {
                // Named for this command: nothing else is meant.
                yield return ($"--recovery-key-file {file}", () => Recovery(ReadKeyFile(file)));
                yield break;
            }

            if (!site.Configuration.Global.Encryption)
            {
                yield return ("global.encryption", () => KeyCredential.Clear);
                yield break;
            }

            var keys = site.Configuration.Keys;
            if (keys.Passphrase is { } passphrase) yield return ("keys.passphrase", () => Passphrase(site.Secrets.Resolve(passphrase, "keys.passphrase")));
            if (keys.KeyVault is { } vault) yield return ("keys.keyvault", () => Service(KeyVault(vault, "keys.keyvault")));
            if (keys.Kms is { } kms) yield return ("keys.kms", () => Service(Kms(kms, "keys.kms")));
            if (keys.RecoveryKey is { } recovery) yield return ("keys.recovery_key", () => Recovery(site.Secrets.Resolve(recovery, "keys.recovery_key")));
        }
    }

    /// <summary>A key of Azure Key Vault, disposed with this.</summary>
    /// <param name="address">Of the key.</param>
    /// <param name="purpose">The setting or option that names it, for errors.</param>
    /// <exception cref="ConfigurationException">It is no key's address.</exception>
    public IKeyService KeyVault(string address, string purpose) => Keep(OpenKeyVault(address, purpose));

    /// <summary>A key of AWS KMS, disposed with this.</summary>
    /// <inheritdoc cref="KeyVault"/>
    public IKeyService Kms(string arn, string purpose) => Keep(OpenKms(arn, purpose));

    public void Dispose()
    {
        foreach (var fetched in _fetched) fetched.Dispose();
        _fetched.Clear();
    }

#pragma warning disable CA1859 // the concrete types would make the runtime load the SDKs
    [MethodImpl(MethodImplOptions.NoInlining)]
    private IKeyService OpenKeyVault(string address, string purpose) => KeyVaultAddress.TryParse(address, out var key)
        ? new KeyVaultKey(new KeyVaultOptions(key) { ManagedIdentity = site.Configuration.Keys.KeyVaultIdentity })
        : throw new ConfigurationException($"{purpose} must be the address of a key, as in https://VAULT.vault.azure.net/keys/NAME.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private IKeyService OpenKms(string arn, string purpose) => KmsKeyArn.TryParse(arn, out var key)
        ? new KmsKey(new KmsOptions(key) { Endpoint = site.Configuration.Keys.KmsEndpoint is { } endpoint ? new Uri(endpoint) : null })
        : throw new ConfigurationException($"{purpose} must be the ARN of a key, as in arn:aws:kms:REGION:ACCOUNT:key/ID, or of an alias.");
#pragma warning restore CA1859

    private static KeyCredential Service(IKeyService service) => KeyCredential.Service(service);

    private KeyCredential Passphrase(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        _fetched.Add(new Wiped(bytes));
        return KeyCredential.Passphrase(bytes);
    }

    private KeyCredential Recovery(string text) => KeyCredential.Recovery(Keep(RecoveryKey.Parse(text)));

    private T Keep<T>(T fetched) where T : IDisposable
    {
        _fetched.Add(fetched);
        return fetched;
    }

    private static string ReadKeyFile(string file)
    {
        try
        {
            return new FileInfo(file).Length <= 64 << 10
                ? File.ReadAllText(file)
                : throw new ConfigurationException($"The recovery key file {file} is larger than 64 KiB; is it the right one?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The recovery key file {file} cannot be read: {e.Message}");
        }
    }

    private sealed class Wiped(byte[] bytes) : IDisposable
    {
        public void Dispose() => CryptographicOperations.ZeroMemory(bytes);
    }
}
