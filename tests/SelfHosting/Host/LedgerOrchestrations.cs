using DurableTask.Core.Exceptions;
using FunctionsBackup.SelfHosting.Engine;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Host;

/// <summary>Orchestrations of each kind whose activities leave a line in a ledger, with results that tell what was counted.</summary>
/// <param name="scale">How much there is to do; each unit of it keeps a worker busy for some 80 ms.</param>
public sealed class LedgerOrchestrations(int scale)
{
    public const int Branches = 5;

    public static IReadOnlyList<string> Ids { get; } = ["fan", "loop", "tree", "mail"];

    public int Units { get; } = 40 * scale;

    public int Rounds { get; } = 8 * scale;

    public int Letters { get; } = 10 * scale;

    public int Leaves { get; } = 2 * scale;

    public TaskRegistry Register(Ledger ledger)
    {
        var registry = new TaskRegistry();
        registry.AddActivity("Append", async call =>
        {
            ledger.Add($"{call.InstanceId} {call.TaskId} {call.GetInput<string>()}");
            await Task.Delay(1, call.CancellationToken);
            return 1;
        });
        registry.AddOrchestrator("Fan", default, async context =>
        {
            var open = new List<Task<int>>();
            var sum = 0;
            for (var i = 0; i < Units; i++)
            {
                if (open.Count == 16)
                {
                    var done = await Task.WhenAny(open);
                    open.Remove(done);
                    sum += await done;
                }

                open.Add(context.CallActivityAsync<int>("Append", $"unit-{i}"));
            }

            return sum + (await Task.WhenAll(open)).Sum();
        });
        registry.AddOrchestrator("Loop", default, async context =>
        {
            var round = context.GetInput<int>();
            await context.CallActivityAsync<int>("Append", $"round-{round}");
            await context.CreateTimer(TimeSpan.FromMilliseconds(10), CancellationToken.None);
            if (round + 1 < Rounds) context.ContinueAsNew(round + 1);
            return round + 1;
        });
        registry.AddOrchestrator("Tree", default, async context =>
        {
            var branches = Enumerable.Range(0, Branches).Select(i => context.CallSubOrchestratorAsync<int>("Branch", $"branch-{i}"));
            return (await Task.WhenAll(branches)).Sum();
        });
        registry.AddOrchestrator("Branch", default, async context =>
        {
            var (sum, branch) = (0, context.GetInput<string>());
            for (var i = 0; i < Leaves; i++) sum += await context.CallActivityAsync<int>("Append", $"{branch}-leaf-{i}");
            return sum;
        });
        // The postman is a child of who gets the mail: letters must come once each, in order.
        registry.AddOrchestrator("Mail", default, async context =>
        {
            var postman = context.CallSubOrchestratorAsync<int>("Postman", context.InstanceId);
            var letters = new List<int>();
            while (letters.Count < Letters) letters.Add(await context.WaitForExternalEvent<int>("letter"));
            await postman;
            return letters;
        });
        registry.AddOrchestrator("Postman", default, async context =>
        {
            for (var i = 0; i < Letters; i++)
            {
                context.SendEvent(context.GetInput<string>()!, "letter", i);
                await context.CallActivityAsync<int>("Append", $"letter-{i}");
            }

            return Letters;
        });
        return registry;
    }

    /// <summary>Starts what has not been started by an earlier life.</summary>
    public static async Task StartAsync(DurableTaskClient client)
    {
        var all = Enum.GetNames<OrchestrationRuntimeStatus>();
        foreach (var id in Ids)
        {
            try
            {
                var name = char.ToUpperInvariant(id[0]) + id[1..];
                await client.ScheduleNewOrchestrationInstanceAsync(name, 0, new StartOrchestrationOptions(id) { DedupeStatuses = all });
            }
            catch (OrchestrationAlreadyExistsException)
            {
                // It goes on.
            }
        }
    }
}
