using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Repository.Keys;

/// <summary>Repositories for tests: a passphrase whose guesses are cheap, and a recovery key.</summary>
internal static class NewRepository
{
    private static readonly byte[] PassphraseBytes = "correct horse"u8.ToArray();

    public static KeyCredential Passphrase => KeyCredential.Passphrase(PassphraseBytes);

    public static InitRequest Request { get; } = new()
    {
        Passphrases = [new(PassphraseBytes, "tests")],
        AcknowledgeRecoveryKey = (_, _) => ValueTask.FromResult(true),
        Scrypt = new(16, 8, 1),
    };

    /// <summary>The result, and the recovery key as it was shown.</summary>
    public static async Task<(InitResult Result, string RecoveryKey)> CreateAsync(IObjectStore store)
    {
        var shown = "";
        var request = Request with
        {
            AcknowledgeRecoveryKey = (text, _) =>
            {
                shown = text;
                return ValueTask.FromResult(true);
            },
        };
        return (await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(request, default), shown);
    }
}
