using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Writers;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>repository keys writer</c>: hosts that may add recovery points and read none.</summary>
internal static class RepositoryWritersCommand
{
    public static Command Create() =>
        new("writer", "Hosts that add recovery points and read none: let them in, list them, let them out.") { Add(), List(), Remove() };

    private static Command Add()
    {
        var label = new Argument<string>("LABEL") { Description = "What people call the writer, as its host's name." };
        var file = new Option<string>("--file")
        {
            Description = "Write the writer file to this new file; it goes to the host, where keys.writer names it.", HelpName = "FILE", Required = true,
        };
        return new Command("add", "Let a writer in, and make the file that its host holds.") { label, file }.Does(async (context, cancellationToken) =>
        {
            await using var store = RepositoryAccess.CreateStore(context.Site);
            var administration = new WriterAdministration(store, context.Time);
            using var writer = await RepositoryAccess.WithCredentialAsync(
                context.Site, c => administration.AddAsync(c, context.Get(label), Environment.MachineName, cancellationToken));
            context.Audit.Target = writer.Id;
            context.Audit.Note("label", writer.Label);
            try
            {
                await RecoveryKeyKeeper.WriteAsync(context.Get(file)!, writer.ToText(), cancellationToken);
            }
            catch
            {
                // Nobody has the file: the writer must not stay let in.
                await RepositoryAccess.WithCredentialAsync(context.Site, c => administration.RemoveAsync(c, writer.Id, CancellationToken.None));
                throw;
            }

            context.Printer.Result(
                () => new JsonObject { ["id"] = writer.Id, ["label"] = writer.Label, ["file"] = context.Get(file) },
                output => output.WriteLine($"Let in writer {writer.Id} ({writer.Label}); its file is {context.Get(file)}."));
            context.Printer.Note("Move the file to the host and name it there: keys: { writer: file:PATH }, and no other key.");
            return ExitCode.Done;
        });
    }

    private static Command List() => new Command("list", "List the writers.").Does(async (context, cancellationToken) =>
    {
        await using var store = RepositoryAccess.CreateStore(context.Site);
        var writers = await RepositoryAccess.WithCredentialAsync(
            context.Site, c => new WriterAdministration(store, context.Time).ListAsync(c, cancellationToken));
        context.Printer.Result(
            () => new JsonObject { ["writers"] = new JsonArray([.. writers.Select(ToJson)]) },
            output =>
            {
                var table = new Table("writer", "label", "let in", "removed");
                foreach (var writer in writers.Where(w => w.Problem is null))
                    table.Add(
                        writer.Id, writer.Label ?? "", writer.Created is { } at ? Human.Moment(at) : "",
                        writer.RemovedAt is { } removed ? Human.Moment(removed) : "");
                table.Write(output, context.Printer.IsTerminal);
            });
        foreach (var writer in writers.Where(w => w.Problem is not null))
            context.Printer.Warn($"The record of writer {writer.Id} is damaged: {writer.Problem}; put it back from a replica.");
        return writers.Any(w => w.Problem is not null) ? ExitCode.Warnings : ExitCode.Done;
    });

    private static Command Remove()
    {
        var id = new Argument<string>("WRITER") { Description = "The writer's id." };
        return new Command("remove", "Let a writer out: nothing that is made with its file counts from now on. What it made stays.") { id }
            .Does(async (context, cancellationToken) =>
            {
                context.Audit.Target = context.Get(id);
                await using var store = RepositoryAccess.CreateStore(context.Site);
                var sessions = await RepositoryAccess.WithCredentialAsync(
                    context.Site, c => new WriterAdministration(store, context.Time).RemoveAsync(c, context.Get(id), cancellationToken));
                context.Audit.Note("sessions", $"{sessions}");
                context.Printer.Result(
                    () => new JsonObject { ["removed"] = context.Get(id), ["sessions"] = sessions },
                    output => output.WriteLine(
                        $"Removed writer {context.Get(id)}; what it made in {Human.Count(sessions, "session", "sessions")} stays readable."));
                return ExitCode.Done;
            });
    }

    private static JsonObject ToJson(WriterInfo writer) => new()
    {
        ["id"] = writer.Id,
        ["label"] = writer.Label,
        ["let_in_at"] = writer.Created is { } at ? Human.Iso(at) : null,
        ["removed_at"] = writer.RemovedAt is { } removed ? Human.Iso(removed) : null,
        ["problem"] = writer.Problem,
    };
}
