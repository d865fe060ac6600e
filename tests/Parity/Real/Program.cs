using FunctionsBackup.Tests.Parity.Real;
using FunctionsBackup.Tests.Parity.Scenarios;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

// Plays the scenarios on the real framework and prints what they say: FunctionsBackup.Tests.Parity.Real [PART OF A NAME]
Environment.SetEnvironmentVariable("Logging__LogLevel__Default", "None");
Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false"); // A watcher per host would be too many.
using var functions = new HostBuilder().ConfigureFunctionsWorkerDefaults().Build();
var serializer = functions.Services.GetRequiredService<IOptions<WorkerOptions>>().Value.Serializer
    ?? throw new InvalidOperationException("The worker has no serializer.");
var scenarios = Scenario.All.Where(s => args.Length == 0 || s.Name.Contains(args[0], StringComparison.OrdinalIgnoreCase)).ToList();
var outcomes = new IReadOnlyList<string>[scenarios.Count];
await Parallel.ForAsync(0, scenarios.Count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
{
    var began = Environment.TickCount64;
    outcomes[i] = await scenarios[i].PlayOn(new RealStage(serializer));
    if (Environment.GetEnvironmentVariable("PARITY_TIMES") == "1")
        Console.Error.WriteLine($"{Environment.TickCount64 - began,6} ms  {scenarios[i].Name}");
});
Console.Write(Recording.Write(scenarios.Zip(outcomes)));
Console.Out.Flush();
Environment.Exit(0);
