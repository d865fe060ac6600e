using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>repository rotate-key</c>: wraps the keys anew and starts a new epoch, while backups run.</summary>
internal static class RepositoryRotateKeyCommand
{
    public static Command Create() => new Command(
        "rotate-key", "Wrap the keys anew, with the newest versions of keys of services, and encrypt what is new with a new data key.")
        .Does(async (context, cancellationToken) =>
    {
        await using var store = RepositoryAccess.CreateStore(context.Site);
        var rotator = new KeyRotator(store, new KeyAdministration(store, context.Time));
        var rotation = await RepositoryAccess.WithCredentialsAsync(context.Site, c => rotator.RotateAsync(c, cancellationToken));
        context.Audit.Target = $"epoch {rotation.Epoch}";
        context.Audit.Items.AddRange(rotation.Rewrapped.Select(slot => new AuditItem(slot.New.Id, "wrapped anew", $"in the place of {slot.Old.Id}")));
        context.Audit.Items.AddRange(rotation.Kept.Select(slot => new AuditItem(slot.Id, "kept")));
        context.Printer.Result(
            () => new JsonObject
            {
                ["epoch"] = rotation.Epoch,
                ["rewrapped"] = new JsonArray([.. rotation.Rewrapped.Select(slot =>
                {
                    var made = RepositoryKeysCommand.ToJson(slot.New);
                    made["replaces"] = slot.Old.Id;
                    return made;
                })]),
                ["kept"] = new JsonArray([.. rotation.Kept.Select(RepositoryKeysCommand.ToJson)]),
            },
            output =>
            {
                foreach (var slot in rotation.Rewrapped)
                    output.WriteLine($"Key slot {slot.New.Id} ({slot.New.Kind}, {slot.New.Label}) replaces {slot.Old.Id}.");
                foreach (var slot in rotation.Kept)
                    output.WriteLine($"Key slot {slot.Id} ({slot.Kind}, {slot.Label}) was kept as it is: its key was not given.");
                output.WriteLine($"What is written from now on is encrypted with the key of epoch {rotation.Epoch}; no data was written anew.");
            });
        return ExitCode.Done;
    });
}
