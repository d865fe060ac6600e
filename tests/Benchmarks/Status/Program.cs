// How fast the API answers, and what a tick costs, while a backup runs on the same machine.
//   tests/Benchmarks/status [--runs N] [--clients N] [--megabytes N]
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Benchmarks.Status;
using FunctionsBackup.Functions;
using FunctionsBackup.Functions.Timers;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

var megabytes = args.Length > 0 ? int.Parse(args[0]) : 2000;
var clients = args.Length > 1 ? int.Parse(args[1]) : 4;
using var folder = await SampleSite.CreateAsync(megabytes);
var options = new FunctionsHostOptions { ScriptRoot = folder.Path, StateFolder = Path.Combine(folder.Path, "state"), Urls = ["http://127.0.0.1:0"] };
await using var host = await SelfHosted.BuildAsync(
    options, new SiteOptions(folder.ConfigurationFile, new Dictionary<string, string>()), CancellationToken.None);
await host.StartAsync(CancellationToken.None);
using var http = new HttpClient { BaseAddress = new Uri(host.Addresses[0], "api/") };

var idle = await MeasureAsync("GET /api/status, idle", TimeSpan.FromSeconds(5));
var start = Stopwatch.GetTimestamp();
using var started = await http.PostAsync("backups", JsonContent.Create(new { components = new[] { "voice_data" }, verify = "none" }));
var url = (string)JsonNode.Parse(await started.Content.ReadAsStringAsync())!["status_url"]!;
using var over = new CancellationTokenSource();
var tick = Task.Run(() => TickAsync(over.Token));
var measuring = MeasureAsync("GET /api/status, backup running", null, over.Token);
JsonNode run;
do
{
    await Task.Delay(100);
    run = JsonNode.Parse(await http.GetStringAsync(url))!;
}
while ((string)run["status"]! is "pending" or "running");
var elapsed = Stopwatch.GetElapsedTime(start);
await over.CancelAsync();
await measuring;
var ticks = await tick;
Console.WriteLine($"tick (three policies, one due): {ticks}");
Console.WriteLine($"backup of {megabytes} MB: {(string)run["status"]!}, {run["result"]?["outcome"]}, {elapsed.TotalSeconds:F1} s; peak {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MB");
return (string?)run["result"]?["outcome"] == "complete" && idle.Count > 0 ? 0 : 1;

async Task<Latencies> MeasureAsync(string what, TimeSpan? time, CancellationToken end = default)
{
    using var limit = CancellationTokenSource.CreateLinkedTokenSource(end);
    if (time is { } span) limit.CancelAfter(span);
    var all = new Latencies();
    await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
    {
        while (!limit.IsCancellationRequested)
        {
            var at = Stopwatch.GetTimestamp();
            using var answer = await http.GetAsync("status", CancellationToken.None);
            answer.EnsureSuccessStatusCode();
            await answer.Content.ReadAsByteArrayAsync(CancellationToken.None);
            all.Add(Stopwatch.GetElapsedTime(at));
            // as people and monitors ask, not as fast as can be
            await Task.Delay(20, CancellationToken.None);
        }
    })));
    Console.WriteLine($"{what}, {clients} clients: {all}");
    return all;
}

async Task<Latencies> TickAsync(CancellationToken end)
{
    var tickFunction = new ScheduleTick(
        host.Services.GetRequiredService<BackupSite>(), host.Services.GetRequiredService<BackupStarter>(),
        host.Services.GetRequiredService<RestoreTestStarter>(), NullLogger<ScheduleTick>.Instance);
    var all = new Latencies();
    while (!end.IsCancellationRequested)
    {
        var last = TimeProvider.System.GetUtcNow().AddMinutes(-1).UtcDateTime;
        var at = Stopwatch.GetTimestamp();
        await tickFunction.RunAsync(new TimerInfo { ScheduleStatus = new ScheduleStatus { Last = last } }, host.Client, CancellationToken.None);
        all.Add(Stopwatch.GetElapsedTime(at));
        await Task.Delay(50, CancellationToken.None);
    }

    return all;
}
