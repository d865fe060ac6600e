using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.PostgreSql.Wal.Receiving;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>wal receive</c>: streams WAL from the server into the archive until it is stopped; what was received is archived
/// first.</summary>
internal static class WalReceiveCommand
{
    public static Command Create()
    {
        var interval = new Option<int>("--seal-interval")
        {
            Description = "Seconds after which received bytes are archived at the latest.", HelpName = "SECONDS", DefaultValueFactory = _ =>
                5,
        };
        interval.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var seconds) && seconds is < 1 or > 3600)
                result.AddError("--seal-interval must be from 1 to 3600 seconds.");
        });
        return new Command("receive", "Stream WAL from the server into the archive until stopped; reconnects by itself.") { interval }
            .Does((context, cancellationToken) => RunAsync(context, TimeSpan.FromSeconds(context.Get(interval)), cancellationToken));
    }

    private static async Task<int> RunAsync(CommandContext context, TimeSpan interval, CancellationToken cancellationToken)
    {
        var postgres = context.Configuration.Postgres
            ?? throw new ConfigurationException($"postgres is not configured; add components.postgres to {context.ConfigurationFile}.");
        var options = new WalReceiverOptions(context.Secrets.Resolve(postgres.Connection, "components.postgres.connection"))
        {
            SlotName = postgres.WalSlot,
            SealInterval = interval,
        };
        var receiver = new WalReceiver(options, WalOptions.Opener(context), context.Time);
        var last = new WalReceiverStatus();
        receiver.StatusChanged += status =>
        {
            Tell(context, last, status);
            last = status;
        };
        await receiver.RunAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return ExitCode.Done;
    }

    private static void Tell(CommandContext context, WalReceiverStatus before, WalReceiverStatus now)
    {
        if (now.IsStreaming && !before.IsStreaming) context.Printer.Note($"Streaming timeline {now.Timeline} from {now.Received}.");
        if (now.LastProblem is { } problem && (problem != before.LastProblem || now.Failures != before.Failures)) context.Printer.Warn(
            problem);
        if (now.Archived == before.Archived && now.IsStreaming == before.IsStreaming) return;
        context.Printer.Event("status", new JsonObject
        {
            ["streaming"] = now.IsStreaming,
            ["timeline"] = now.Timeline,
            ["received"] = now.Received.ToString(),
            ["archived"] = now.Archived.ToString(),
            ["lag_bytes"] = now.LagBytes,
        });
    }
}
