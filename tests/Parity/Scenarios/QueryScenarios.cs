using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Queries over instances.</summary>
internal static class QueryScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("a query for all", async s => await Query(s, null)),
        new("a query by prefix", async s => await Query(s, new OrchestrationQuery(InstanceIdPrefix: "backup-"))),
        new("a query by status", async s =>
            await Query(s, new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Running]))),
        new("a query by no status", async s => await Query(s, new OrchestrationQuery(Statuses: []))),
        new("a query by prefix and status, with inputs and outputs", async s => await Query(
            s, new OrchestrationQuery(InstanceIdPrefix: "backup-", Statuses: [OrchestrationRuntimeStatus.Completed],
                FetchInputsAndOutputs: true))),
        new("a query with inputs and outputs of those that failed", async s => await Query(
            s, new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Failed], FetchInputsAndOutputs: true))),
        new("a query by time of creation", async s =>
        {
            await Query(s, new OrchestrationQuery(CreatedFrom: DateTimeOffset.UtcNow.AddHours(1)));
            var client = await s.ClientAsync();
            s.Say($"until an hour ago: {await Count(client, new OrchestrationQuery(CreatedTo: DateTimeOffset.UtcNow.AddHours(-1)))}");
            var now = DateTimeOffset.UtcNow;
            var around = new OrchestrationQuery(CreatedFrom: now.AddHours(-1), CreatedTo: now.AddHours(1));
            s.Say($"since an hour ago: {await Count(client, around)}");
        }),
        new("a query in pages", async s =>
        {
            await Instances(s);
            var client = await s.ClientAsync();
            var pages = new List<int>();
            var ids = new List<string>();
            await foreach (var page in client.GetAllInstancesAsync(new OrchestrationQuery(PageSize: 2)).AsPages())
            {
                pages.Add(page.Values.Count);
                ids.AddRange(page.Values.Select(v => v.InstanceId));
            }

            s.Say($"pages of {string.Join(", ", pages.Where(p => p > 0))}; each once: {ids.Distinct().Count() == 5}");
            await foreach (var page in client.GetAllInstancesAsync(new OrchestrationQuery(PageSize: 2)).AsPages(pageSizeHint: 4))
            {
                s.Say($"first page with a hint: {page.Values.Count}, more: {page.ContinuationToken is not null}");
                var rest = new List<int>();
                await foreach (var next in client.GetAllInstancesAsync().AsPages(page.ContinuationToken, 4)) rest.Add(next.Values.Count);
                s.Say($"rest {rest.Sum()}");
                break;
            }
        }),
        new("what an instance's data says", async s =>
        {
            await Instances(s);
            var state = (await (await s.ClientAsync()).GetInstanceAsync("backup-1", true))!;
            s.Say($"{state.Name} {state.InstanceId} running={state.IsRunning} completed={state.IsCompleted} " +
                $"in={state.ReadInputAs<int>()} out={state.ReadOutputAs<string>()} custom={state.ReadCustomStatusAs<string>()} " +
                $"created≤updated={state.CreatedAt <= state.LastUpdatedAt} offset={state.CreatedAt.Offset}");
            s.Say($"recent: {(DateTimeOffset.UtcNow - state.CreatedAt).Duration() < TimeSpan.FromMinutes(1)}");
        }),
        new("data that was not asked for cannot be read", async s =>
        {
            await Instances(s);
            var state = (await (await s.ClientAsync()).GetInstanceAsync("backup-1"))!;
            (string, Func<object?>)[] reads =
            [
                ("input", () => state.ReadInputAs<int>()), ("output", () => state.ReadOutputAs<string>()),
                ("custom", () => state.ReadCustomStatusAs<string>()),
            ];
            foreach (var (label, read) in reads)
            {
                try
                {
                    s.Say($"{label} {read() ?? "null"}");
                }
                catch (Exception e)
                {
                    s.Say($"{label} {e.GetType().Name}");
                }
            }
        }),
    ];

    private static async Task Instances(Stage s)
    {
        s.Orchestrator("Backup", async (TaskOrchestrationContext c, int n) =>
        {
            c.SetCustomStatus($"status {n}");
            if (n == 3) throw new IOException("third");
            if (n == 4) await c.WaitForExternalEvent<string>("never");
            return $"output {n}";
        });
        foreach (var n in new[] { 1, 2, 3 })
        {
            await s.StartAs($"backup-{n}", "Backup", n);
            await s.Until($"backup-{n}", m => m?.IsCompleted == true);
        }

        await s.StartAs("verify-1", "Backup", 1);
        await s.Until("verify-1", m => m?.IsCompleted == true);
        await s.StartAs("verify-4", "Backup", 4);
        await s.UntilStatus("verify-4", "status 4");
    }

    private static async Task Query(Stage s, OrchestrationQuery? query)
    {
        await Instances(s);
        var found = new List<OrchestrationMetadata>();
        await foreach (var state in (await s.ClientAsync()).GetAllInstancesAsync(query)) found.Add(state);
        foreach (var state in found.OrderBy(f => f.InstanceId, StringComparer.Ordinal)) s.SayState(state, state.InstanceId);
        s.Say($"{found.Count} found");
    }

    private static async Task<int> Count(DurableTaskClient client, OrchestrationQuery query)
    {
        var n = 0;
        await foreach (var _ in client.GetAllInstancesAsync(query)) n++;
        return n;
    }
}
