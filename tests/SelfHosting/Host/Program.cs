using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.Tests.SelfHosting.Host;

// Works on a state file until all orchestrations of the ledger have ended: engine-host STATE LEDGER SCALE. Is killed at any moment.
var (state, ledger) = (args[0], new Ledger(args[1]));
var orchestrations = new LedgerOrchestrations(int.Parse(args[2]));
var options = new DurableEngineOptions { DatabasePath = state, MaxConcurrentActivities = 8, MaxLiveOrchestrators = 4 };
await using var engine = await DurableEngine.OpenAsync(options, orchestrations.Register(ledger), CancellationToken.None);
if (!engine.TryStartWorker())
{
    Console.WriteLine("busy");
    return 3;
}

Console.WriteLine("working");
await LedgerOrchestrations.StartAsync(engine.Client);
foreach (var id in LedgerOrchestrations.Ids)
{
    var ended = await engine.Client.WaitForInstanceCompletionAsync(id, true);
    Console.WriteLine($"{id} {ended.RuntimeStatus} {ended.SerializedOutput ?? ended.FailureDetails?.ToString()}");
}

await engine.StopWorkerAsync(CancellationToken.None);
return 0;
