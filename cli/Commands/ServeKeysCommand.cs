using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Access;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>serve keys add|list|remove</c>: the API keys of a self-hosted site. Only their hashes are kept.</summary>
internal static class ServeKeysCommand
{
    public static Command Create() => new("keys", "API keys of this site.") { Add(), List(), Remove() };

    private static Command Add()
    {
        var name = new Argument<string>("NAME") { Description = "Whose it is." };
        var role = new Option<string>("--role")
        {
            Description = "What it allows; each includes the ones before.", HelpName = "viewer|operator|approver", DefaultValueFactory = _ => "viewer",
        };
        role.AcceptOnlyFromAmong("viewer", "operator", "approver");
        return new Command("add", "Make a key and show it once.") { name, role }.Does((context, _) =>
        {
            context.Audit.Target = context.Get(name);
            context.Audit.Note("role", context.Get(role));
            var chosen = Enum.Parse<Role>(context.Get(role)!, ignoreCase: true);
            var key = Keys(context).Add(context.Get(name), chosen);
            context.Printer.Result(
                () => new JsonObject { ["name"] = context.Get(name), ["role"] = context.Get(role), ["key"] = key }, output => output.WriteLine(key));
            context.Printer.Note("This is shown once; send it as 'Authorization: Bearer …' or 'x-functions-key: …'.");
            return Task.FromResult(ExitCode.Done);
        });
    }

    private static Command List() => new Command("list", "Whose keys there are.").Does((context, _) =>
    {
        var keys = Keys(context).List();
        context.Printer.Result(
            () => new JsonObject
            {
                ["keys"] = new JsonArray([.. keys.Select(k => new JsonObject
                {
                    ["name"] = k.Name, ["role"] = k.Role.ToString().ToLowerInvariant(), ["created_at"] = Human.Iso(k.CreatedAt),
                })]),
            },
            output =>
            {
                var table = new Table("name", "role", "made");
                foreach (var key in keys) table.Add(key.Name, key.Role.ToString().ToLowerInvariant(), Human.Moment(key.CreatedAt));
                table.Write(output, context.Printer.IsTerminal);
            });
        return Task.FromResult(ExitCode.Done);
    });

    private static Command Remove()
    {
        var name = new Argument<string>("NAME") { Description = "Whose key goes." };
        return new Command("remove", "Remove a key; it is refused from then on.") { name }.Does((context, _) =>
        {
            context.Audit.Target = context.Get(name);
            var removed = Keys(context).Remove(context.Get(name));
            if (!removed) context.Printer.Error($"There is no key '{context.Get(name)}'; 'fbackup serve keys list' shows those there are.");
            return Task.FromResult(removed ? ExitCode.Done : ExitCode.NotFound);
        });
    }

    private static ApiKeys Keys(CommandContext context) => new(
        new FunctionsHostOptions { ScriptRoot = AppContext.BaseDirectory, StateFolder = WorkHost.StateFolder(context) }.KeyFile, context.Time);
}
