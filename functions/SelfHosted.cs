using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FunctionsBackup.Functions;

/// <summary>This application on the embedded host: what <c>fbackup serve</c> and the default build run. Not part of the Azure build.</summary>
public static class SelfHosted
{
    /// <summary>The host with all functions; start it as a server, or its engine alone.</summary>
    /// <param name="options">How; <see cref="AppSettings.Defaults"/> are added.</param>
    /// <param name="site">Where the configuration is.</param>
    /// <param name="cancellationToken">Stops building.</param>
    /// <exception cref="HostingException">Something is wrong: nothing was started.</exception>
    public static Task<FunctionsHost> BuildAsync(FunctionsHostOptions options, SiteOptions site, CancellationToken cancellationToken) =>
        FunctionsHost.BuildAsync(
            options with { DefaultSettings = AppSettings.Defaults }, services => Configure(services, site), FunctionsApp.Assemblies, cancellationToken);

    /// <summary>Serves until a signal, or until the token is cancelled.</summary>
    /// <param name="options">How.</param>
    /// <param name="site">Where the configuration is.</param>
    /// <param name="started">Told the addresses.</param>
    /// <param name="cancellationToken">Ends serving as a signal does.</param>
    /// <returns>What the process should exit with: 0, or 130 after Ctrl-C.</returns>
    public static async Task<int> ServeAsync(
        FunctionsHostOptions options, SiteOptions site, Action<IReadOnlyList<Uri>> started, CancellationToken cancellationToken)
    {
        using var signals = new ShutdownSignals();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(signals.Stop, cancellationToken);
        await using var host = await BuildAsync(options, site, stop.Token);
        await host.StartAsync(stop.Token);
        started(host.Addresses);
        var audit = host.Services.GetRequiredService<IAuditLog>();
        var addresses = string.Join(' ', host.Addresses);
        await audit.RecordAsync(new AuditEntry { Action = AuditActions.ServeStart, Outcome = AuditOutcome.Done, Target = addresses });
        await Task.Delay(Timeout.InfiniteTimeSpan, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await audit.RecordAsync(new AuditEntry { Action = AuditActions.ServeStop, Outcome = AuditOutcome.Done, Target = addresses });
        await host.StopAsync(signals.Now);
        return signals.ExitCode;
    }

    /// <summary>
    /// Where the state of a site is kept: <c>FBACKUP_STATE</c>, else in the user's state folder, in a folder of the configuration's own, so
    /// that two sites on one machine never do each other's work.
    /// </summary>
    /// <param name="environment">The variables of the process.</param>
    /// <param name="configurationFile">The site's configuration.</param>
    /// <exception cref="ConfigurationException">There is no folder for it.</exception>
    public static string FindStateFolder(IReadOnlyDictionary<string, string> environment, string configurationFile) =>
        StateFolder.Find(environment, configurationFile);

    private static void Configure(IServiceCollection services, SiteOptions site)
    {
        FunctionsApp.AddServices(services, site);
        FunctionsApp.AddHostCallers(services);
    }
}
