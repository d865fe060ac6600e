using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>work list|show|follow|cancel|suspend|resume</c>: what runs, or ran, on this site's engine.</summary>
internal static class WorkCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "The instance, as 'work list' shows it." };

    public static Command Create() => new("work", "What runs and ran: backups, restores, verifications, retention.")
    {
        List(),
        new Command("show", "One instance.") { Id }.Does(ShowAsync),
        new Command("follow", "Stay with an instance until it ends; go on with it, if nobody works.") { Id, WorkOptions.OnInterrupt }.Does(FollowAsync),
        Steer("cancel", "Stop it: nothing half remains.", (client, id, token) =>
            Instance.CancelAsync(client, id, "cancelled at the command line", token)),
        Steer("suspend", "Begin nothing new until it is resumed.", (client, id, token) =>
            client.SuspendInstanceAsync(id, "suspended at the command line", token)),
        Steer("resume", "Go on.", (client, id, token) => client.ResumeInstanceAsync(id, "resumed at the command line", token)),
    };

    private static Command List()
    {
        var all = new Option<bool>("--all") { Description = "Also what has ended." };
        var limit = new Option<int>("--limit") { Description = "At most so many, the newest.", DefaultValueFactory = _ => 50 };
        limit.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<int>() is < 1 or > 10_000) r.AddError("--limit is 1 to 10000.");
        });
        return new Command("list", "What runs.") { all, limit }.Does(async (context, cancellationToken) =>
        {
            var found = new List<OrchestrationMetadata>();
            if (WorkHost.HasState(context))
            {
                await using var host = await WorkHost.LookAsync(context, cancellationToken);
                var query = new OrchestrationQuery(Statuses: context.Get(all) ? null : Instance.Live, FetchInputsAndOutputs: true);
                await foreach (var instance in host.Client.GetAllInstancesAsync(query).WithCancellation(cancellationToken)) found.Add(instance);
            }

            var shown = found.OrderByDescending(i => i.CreatedAt).Take(context.Get(limit)).ToList();
            context.Printer.Result(
                () => new JsonObject { ["instances"] = new JsonArray([.. shown.Select(ToJson)]) },
                output =>
                {
                    var table = new Table("instance", "status", "began", "last heard of");
                    foreach (var i in shown) table.Add(
                        i.InstanceId, Status(i), Human.Moment(i.CreatedAt), Human.Moment(i.LastUpdatedAt));
                    if (shown.Count > 0) table.Write(output, context.Printer.IsTerminal);
                    else output.WriteLine("Nothing runs.");
                });
            return ExitCode.Done;
        });
    }

    private static async Task<int> ShowAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (await FindAsync(context, cancellationToken) is not { } instance) return ExitCode.NotFound;
        var json = ToJson(instance);
        context.Printer.Result(() => json, output => output.WriteLine(json.ToJsonString(new JsonSerializerOptions { WriteIndented = true })));
        return ExitCode.Done;
    }

    private static async Task<int> FollowAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (await FindAsync(context, cancellationToken) is not { } found) return ExitCode.NotFound;
        context.Audit.Instance = found.InstanceId;
        await using var host = await WorkHost.StartAsync(context, cancellationToken);
        var result = await WorkRun.FollowAsync<JsonDocument>(context, host, found.InstanceId, found.InstanceId, cancellationToken);
        var json = JsonObject.Create(result.RootElement) ?? [];
        context.Printer.LongResult(() => json, output => output.WriteLine(json.ToJsonString(new JsonSerializerOptions { WriteIndented = true })));
        return json.TryGetPropertyValue("ExitCode", out var code) && code is not null ? code.GetValue<int>() : ExitCode.Done;
    }

    private static Command Steer(string name, string what, Func<DurableTaskClient, string, CancellationToken, Task> act) =>
        new Command(name, what) { Id }.Does(async (context, cancellationToken) =>
        {
            context.Audit.Target = context.Get(Id);
            if (await FindAsync(context, cancellationToken) is not { } instance) return ExitCode.NotFound;
            context.Audit.Instance = instance.InstanceId;
            if (instance.IsCompleted)
            {
                context.Printer.Error($"{instance.InstanceId} has ended already: {Status(instance)}.");
                return ExitCode.Failed;
            }

            await using var host = await WorkHost.LookAsync(context, cancellationToken);
            await act(host.Client, instance.InstanceId, cancellationToken);
            context.Printer.Note($"{instance.InstanceId} was told to {name}.");
            return ExitCode.Done;
        });

    private static async Task<OrchestrationMetadata?> FindAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var id = context.Get(Id);
        if (WorkHost.HasState(context))
        {
            await using var host = await WorkHost.LookAsync(context, cancellationToken);
            if (await host.Client.GetInstanceAsync(id, getInputsAndOutputs: true, cancellationToken) is { } instance) return instance;
        }

        context.Printer.Error($"There is no instance '{id}'; 'fbackup work list --all' shows those there are.");
        return null;
    }

    private static string Status(OrchestrationMetadata instance) => instance.RuntimeStatus.ToString().ToLowerInvariant();

    private static JsonObject ToJson(OrchestrationMetadata instance) => new()
    {
        ["instance"] = instance.InstanceId,
        ["orchestration"] = instance.Name,
        ["status"] = Status(instance),
        ["created_at"] = Human.Iso(instance.CreatedAt),
        ["last_updated_at"] = Human.Iso(instance.LastUpdatedAt),
        ["input"] = Parse(instance.SerializedInput),
        ["progress"] = Parse(instance.SerializedCustomStatus),
        ["output"] = Parse(instance.SerializedOutput),
        ["error"] = instance.FailureDetails?.ErrorMessage,
    };

    private static JsonNode? Parse(string? json) => json is null ? null : JsonNode.Parse(json);
}
