using System.Diagnostics;
using FunctionsBackup.SelfHosting.Engine;
using Microsoft.DurableTask.Client;

// Prints what the embedded engine does per second, and its peak memory: engine-benchmark [FOLDER]. One case: engine-benchmark FOLDER CASE.
var folder = args.Length > 0 ? args[0] : Directory.CreateTempSubdirectory("engine-benchmark-").FullName;
string[] cases = args.Length > 1 ? [args[1]] : ["open", "fan", "any", "sequence", "timers", "instances", "open"];
var state = Path.Join(folder, "state.db");
var registry = new TaskRegistry();
registry.AddActivity("Echo", call => Task.FromResult<object?>(call.GetInput<int>()));
registry.AddOrchestrator("fan", default, async context =>
    (await Task.WhenAll(Enumerable.Range(0, 10_000).Select(i => context.CallActivityAsync<int>("Echo", i)))).Length);
registry.AddOrchestrator("any", default, async context =>
{
    var open = new HashSet<Task>();
    for (var i = 0; i < 10_000; i++)
    {
        if (open.Count == 64) open.Remove(await Task.WhenAny(open));
        open.Add(context.CallActivityAsync<int>("Echo", i));
    }

    await Task.WhenAll(open);
    return 10_000;
});
registry.AddOrchestrator("sequence", default, async context =>
{
    for (var i = 0; i < 1_000; i++) await context.CallActivityAsync<int>("Echo", i);
    return 1_000;
});
registry.AddOrchestrator("timers", default, async context =>
{
    await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => context.CreateTimer(TimeSpan.FromMilliseconds(i), CancellationToken.None)));
    return 1_000;
});
registry.AddOrchestrator("instances", default, async context =>
    (await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => context.CallSubOrchestratorAsync<int>("one", i)))).Length);
registry.AddOrchestrator("one", default, async context => await context.CallActivityAsync<int>("Echo", context.GetInput<int>()));

foreach (var one in cases)
{
    var clock = Stopwatch.StartNew();
    var processor = Environment.CpuUsage.TotalTime;
    await using var engine = await DurableEngine.OpenAsync(new() { DatabasePath = state }, registry, CancellationToken.None);
    var opened = clock.Elapsed;
    processor = Environment.CpuUsage.TotalTime - processor;
    if (one == "open")
    {
        var size = new FileInfo(state).Length / 1024;
        Console.WriteLine(
            $"open       {opened.TotalMilliseconds,8:N1} ms, {processor.TotalMilliseconds:N1} ms of them computing; file of {size:N0} KiB");
        continue;
    }

    engine.TryStartWorker();
    clock.Restart();
    var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync(one);
    var ended = await engine.Client.WaitForInstanceCompletionAsync(id, true);
    var seconds = clock.Elapsed.TotalSeconds;
    if (ended.RuntimeStatus != OrchestrationRuntimeStatus.Completed) throw new InvalidOperationException($"{one}: {ended.FailureDetails}");
    var peak = Process.GetCurrentProcess().PeakWorkingSet64 >> 20;
    Console.WriteLine($"{one,-10} {ended.ReadOutputAs<int>() / seconds,8:N0}/s in {seconds:N2} s, peak {peak} MiB so far");
    await engine.StopWorkerAsync(CancellationToken.None);
}

if (args.Length == 0) Directory.Delete(folder, recursive: true);
