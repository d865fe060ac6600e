using FunctionsBackup.Components.Files;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.Tests.Orchestrations.Host;

// A host that is killed: takes the backup of that instance, or goes on with it, and says how it ended.
var (configuration, state, instance) = (args[0], args[1], args[2]);
var options = new SiteOptions(configuration, EnvironmentOverrides.OfProcess())
{
    StateFolder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configuration))!, "state"),
};
await using var site = new BackupSite(options, TimeProvider.System)
{
    UnitSizes = new FilesPlannerOptions { UnitBytes = 1 << 20, UnitEntries = 20 },
};
DurableEngine? engine = null;
var registry = FunctionRegistration.Create(site, () => engine!.Client);
engine = await DurableEngine.OpenAsync(new DurableEngineOptions { DatabasePath = state }, registry, CancellationToken.None);
await using (engine)
{
    if (!engine.TryStartWorker()) throw new InvalidOperationException("Another process is the worker.");
    var request = new BackupRequest { Components = ProtectedComponents.Choose(site.Configuration, []) };
    await Instance.StartOnceAsync(engine.Client, BackupStarter.Orchestrator, request, instance, CancellationToken.None);
    Console.Out.WriteLine("ready");
    var end = await engine.Client.WaitForInstanceCompletionAsync(instance, getInputsAndOutputs: true);
    Console.Out.WriteLine($"{end.RuntimeStatus} {end.SerializedOutput ?? end.FailureDetails?.ToString()}");
}
