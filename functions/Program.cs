using FunctionsBackup.Functions;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
#if AZURE_FUNCTIONS
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
var telemetry = builder.Services.AddOpenTelemetry().UseFunctionsWorkerDefaults();
// Application Insights, where the site has one; its connection string is an application setting.
if (Environment.GetEnvironmentVariable("APPLICATIONINSIGHTS_CONNECTION_STRING") is { Length: > 0 }) telemetry.UseAzureMonitorExporter();
var environment = EnvironmentOverrides.OfProcess();
builder.Services.AddSingleton(TimeProvider.System);
FunctionsApp.AddServices(builder.Services, new SiteOptions(SiteOptions.FindFile(null, environment), environment));
FunctionsApp.AddAzureCallers(builder.Services);
builder.Build().Run();
#else
using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Settings;
using Microsoft.Extensions.Logging;

try
{
    // The folder of the application as 'func start' sees it: where host.json is.
    var folder = Directory.GetCurrentDirectory();
    LocalSettings.AddToEnvironment(LocalSettings.Load(Path.Combine(folder, "local.settings.json")));
    var environment = EnvironmentOverrides.OfProcess();
    using var loggers = LoggerFactory.Create(
        logging => logging.AddFilter("Microsoft", LogLevel.Warning).AddSimpleConsole(console => console.SingleLine = true));
    var options = new FunctionsHostOptions
    {
        ScriptRoot = folder, StateFolder = SelfHosted.FindStateFolder(environment, SiteOptions.FindFile(null, environment)), Environment = environment, Loggers = loggers,
    };
    if (args is ["--urls", var urls]) options = options with { Urls = urls.Split(';') };
    else if (args.Length > 0) throw new HostingException("The only option is --urls http://127.0.0.1:7071.");
    return await SelfHosted.ServeAsync(
        options, new SiteOptions(SiteOptions.FindFile(null, environment), environment),
        addresses => Console.Error.WriteLine($"Listening at {string.Join(", ", addresses)}; Ctrl-C stops."), CancellationToken.None);
}
catch (Exception e) when (e is HostingException or ConfigurationException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
#endif
