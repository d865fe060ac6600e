using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>repository keys</c>: who can open the repository.</summary>
internal static class RepositoryKeysCommand
{
    public static Command Create() => new("keys", "List, add and remove what opens the repository.") { List(), Add(), Remove(), RepositoryWritersCommand.Create() };

    private static Command List() => new Command("list", "List the key slots; needs no key.").Does(async (context, cancellationToken) =>
    {
        await using var store = RepositoryAccess.CreateStore(context.Site);
        var administration = new KeyAdministration(store, context.Time);
        var slots = await administration.ListSlotsAsync(cancellationToken);
        var lost = await administration.ListLostSlotsAsync(cancellationToken);
        context.Printer.Result(
            () => new JsonObject
            {
                ["slots"] = new JsonArray([.. slots.Usable.Select(ToJson)]),
                ["lost"] = new JsonArray([.. lost.Select(id => JsonValue.Create(id))]),
                ["unusable"] = new JsonArray([.. slots.Unusable.Select(u => new JsonObject { ["id"] = u.Id, ["reason"] = u.Reason })]),
            },
            output =>
            {
                var table = new Table("slot", "kind", "label", "created", "key");
                foreach (var slot in slots.Usable)
                    table.Add(slot.Id, slot.Kind, slot.Label, Human.Moment(slot.CreatedAt), slot.Service?.Key ?? "");
                table.Write(output, context.Printer.IsTerminal);
            });
        foreach (var slot in slots.Unusable) context.Printer.Warn($"Key slot {slot.Id} cannot be used: {slot.Reason}.");
        foreach (var id in lost)
            context.Printer.Warn($"Key slot {id} is missing although nobody removed it; 'fbackup repository repair' puts it back.");
        return slots.Unusable.Count + lost.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
    });

    private static Command Add()
    {
        var passphrase = new Option<string?>("--passphrase")
        {
            Description = "A further passphrase, by reference.", HelpName = "env:NAME|file:PATH",
        };
        var file = new Option<string?>("--new-recovery-key-file")
        {
            Description = "Make a further recovery key and write it to this new file.", HelpName = "FILE",
        };
        var label = new Option<string?>("--label") { Description = "What people call it." };
        var keyVault = new Option<string?>("--keyvault")
        {
            Description = "A key of Azure Key Vault, by its address.", HelpName = "https://VAULT/keys/NAME",
        };
        var kms = new Option<string?>("--kms") { Description = "A key of AWS KMS, by its ARN.", HelpName = "ARN" };
        return new Command("add", "Add what opens the repository: a passphrase, a recovery key, or a key of a service.")
        {
            passphrase, keyVault, kms, file, label,
        }.Does(async (context, cancellationToken) =>
        {
            if (new[] { passphrase, keyVault, kms, file }.Count(option => context.Get(option) is not null) != 1)
            {
                throw new UsageException(
                    "Say what to add, one of: --passphrase env:NAME (or file:PATH), --keyvault ADDRESS, --kms ARN, --new-recovery-key-file FILE.");
            }

            await using var store = RepositoryAccess.CreateStore(context.Site);
            var administration = new KeyAdministration(store, context.Time);
            using var services = new ConfiguredKeys(context.Site);
            var slot = context switch
            {
                _ when context.Get(passphrase) is { } text =>
                    await AddPassphraseAsync(context, administration, text, context.Get(label) ?? "passphrase", cancellationToken),
                _ when context.Get(keyVault) is { } address =>
                    await AddAsync(services.KeyVault(address, "--keyvault"), context.Get(label) ?? "Azure Key Vault"),
                _ when context.Get(kms) is { } arn => await AddAsync(services.Kms(arn, "--kms"), context.Get(label) ?? "AWS KMS"),
                _ => await AddRecoveryKeyAsync(
                    context, administration, context.Get(file)!, context.Get(label) ?? "recovery key", cancellationToken),
            };
            context.Audit.Target = slot.Id;
            context.Audit.Note("kind", slot.Kind);
            context.Audit.Note("label", slot.Label);
            context.Printer.Result(
                () => ToJson(slot), output => output.WriteLine($"Added key slot {slot.Id} ({slot.Kind}, {slot.Label})."));
            return ExitCode.Done;

            ValueTask<KeySlot> AddAsync(IKeyService service, string what) => RepositoryAccess.WithCredentialAsync(
                context.Site, c => administration.AddSlotAsync(c, KeyCredential.Service(service), what, cancellationToken));
        });
    }

    private static Command Remove()
    {
        var id = new Argument<string>("SLOT") { Description = "The slot's id." };
        return new Command("remove", "Remove a key slot; needs a key of another slot.") { id }.Does(async (context, cancellationToken) =>
        {
            context.Audit.Target = context.Get(id);
            await using var store = RepositoryAccess.CreateStore(context.Site);
            var administration = new KeyAdministration(store, context.Time);
            await RepositoryAccess.WithCredentialAsync(context.Site, async credential =>
            {
                await administration.RemoveSlotAsync(credential, context.Get(id), cancellationToken);
                return 0;
            });
            context.Printer.Result(
                () => new JsonObject { ["removed"] = context.Get(id) }, output => output.WriteLine($"Removed key slot {context.Get(id)}."));
            return ExitCode.Done;
        });
    }

    private static async ValueTask<KeySlot> AddPassphraseAsync(
        CommandContext context, KeyAdministration administration, string reference, string label, CancellationToken cancellationToken)
    {
        if (!SecretReference.TryParse(reference, out var secret))
            throw new UsageException("--passphrase must be a reference, not the passphrase itself: write env:NAME or file:PATH.");
        var bytes = Encoding.UTF8.GetBytes(context.Secrets.Resolve(secret, "--passphrase"));
        try
        {
            return await RepositoryAccess.WithCredentialAsync(
                context.Site, c => administration.AddSlotAsync(c, KeyCredential.Passphrase(bytes), label, cancellationToken));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static async ValueTask<KeySlot> AddRecoveryKeyAsync(
        CommandContext context, KeyAdministration administration, string file, string label, CancellationToken cancellationToken)
    {
        using var key = RecoveryKey.Create();
        // First the file, then the slot: a slot whose key nobody has would only look like safety.
        await RecoveryKeyKeeper.WriteAsync(file, key.ToText(), cancellationToken);
        return await RepositoryAccess.WithCredentialAsync(
            context.Site, c => administration.AddSlotAsync(c, KeyCredential.Recovery(key), label, cancellationToken));
    }

    internal static JsonObject ToJson(KeySlot slot) => new()
    {
        ["id"] = slot.Id, ["kind"] = slot.Kind, ["label"] = slot.Label, ["created_at"] = Human.Iso(slot.CreatedAt), ["key"] = slot.Service?.Key,
    };
}
