using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage.FileSystem;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>init</c>: makes the repository. Where there is one, nothing changes.</summary>
internal static class InitCommand
{
    public static Command Create()
    {
        var yes = new Option<bool>("--yes")
        {
            Description = "Acknowledge that the recovery key, printed once on stdout, is kept; for where nobody is at a terminal.",
        };
        return new Command("init", "Create the repository. With --recovery-key-file, the recovery key goes to that new file.") { yes }
            .Does((context, cancellationToken) => RunAsync(context, context.Get(yes), cancellationToken));
    }

    private static async Task<int> RunAsync(CommandContext context, bool yes, CancellationToken cancellationToken)
    {
        var configuration = context.Configuration;
        await using var store = RepositoryAccess.CreateStore(context.Site);
        var keeper = new RecoveryKeyKeeper(context, yes);
        var encrypt = configuration.Global.Encryption;
        if (encrypt && store is FileSystemObjectStore folder && !Directory.Exists(folder.Root)) keeper.CheckPossible();
        StoreFactory.Initialize(store);

        var keys = configuration.Keys;
        if (encrypt && keys is { Passphrase: null, KeyVault: null, Kms: null })
        {
            throw new ConfigurationException(
                "No key is configured for the new repository; set keys.passphrase to env:NAME or file:PATH, keys.keyvault or keys.kms.");
        }

        using var services = new ConfiguredKeys(context.Site);
        var passphrase = encrypt ? Passphrase(context) : null;
        InitResult result;
        try
        {
            var request = new InitRequest
            {
                Encrypt = encrypt,
                Passphrases = passphrase is not null ? [new InitPassphrase(passphrase, "keys.passphrase")] : [],
                Services =
                [
                    .. keys.KeyVault is { } vault && encrypt ? [new InitService(services.KeyVault(vault, "keys.keyvault"), "keys.keyvault")] : (InitService[])[],
                    .. keys.Kms is { } kms && encrypt ? [new InitService(services.Kms(kms, "keys.kms"), "keys.kms")] : (InitService[])[],
                ],
                AcknowledgeRecoveryKey = encrypt ? keeper.AcknowledgeAsync : null,
            };
            result = await new RepositoryInitializer(store, context.Time).CreateAsync(request, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passphrase);
        }

        keeper.Settle(result.Created);
        context.Audit.Target = result.Config.RepositoryId;
        context.Audit.Note("created", result.Created ? "true" : "false");
        context.Audit.Note("encrypted", encrypt ? "true" : "false");
        context.Printer.Result(
            () => new JsonObject
            {
                ["created"] = result.Created,
                ["repository_id"] = result.Config.RepositoryId,
                ["location"] = store.Description,
                ["encrypted"] = encrypt,
                ["recovery_key"] = keeper.MustPrint ? result.RecoveryKey : null,
                ["recovery_key_file"] = result.Created ? keeper.File : null,
            },
            output =>
            {
                if (result.RecoveryKey is not null && keeper.MustPrint) output.WriteLine($"recovery key: {result.RecoveryKey}");
                output.WriteLine(result.Created
                    ? $"Created repository {result.Config.RepositoryId} in {store.Description}."
                    : $"Repository {result.Config.RepositoryId} is in {store.Description} already; nothing was changed.");
            });
        if (result.RecoveryKey is not null && keeper.MustPrint)
            context.Printer.Note(
                "Keep the recovery key in a safe place: it opens the repository when the passphrase is lost, and is not shown again.");
        return ExitCode.Done;
    }

    private static byte[]? Passphrase(CommandContext context) => context.Configuration.Keys.Passphrase is { } reference
        ? Encoding.UTF8.GetBytes(context.Secrets.Resolve(reference, "keys.passphrase"))
        : null;
}
