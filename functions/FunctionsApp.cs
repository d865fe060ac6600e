using System.Reflection;
using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Functions.Status;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.LiveKitEvents;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.SiteRestore;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Orchestrations.WalArchiving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Functions;

/// <summary>What every host of this application needs to know: where its functions are and which services they get.</summary>
public static partial class FunctionsApp
{
    /// <summary>Triggers, orchestrators and activities.</summary>
    public static IReadOnlyList<Assembly> Assemblies { get; } = [typeof(FunctionsApp).Assembly, typeof(BackupStarter).Assembly];

    /// <param name="services">The host's; it must have a TimeProvider, logging and an IConfiguration.</param>
    /// <param name="options">Where the configuration is.</param>
    public static void AddServices(IServiceCollection services, SiteOptions options)
    {
        services.AddSingleton(provider => new BackupSite(
            options.TellsNobody ? options with { Warn = Logged(provider) } : options, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IAuditLog>(provider => provider.GetRequiredService<BackupSite>().Audit);
        services.AddSingleton<DeniedRequests>();
        services.AddSingleton<RequestAudit>();
        services.AddSingleton<BackupStarter>();
        services.AddSingleton<RestoreStarter>();
        services.AddSingleton<SiteRestoreStarter>();
        services.AddSingleton<VerificationStarter>();
        services.AddSingleton<RetentionStarter>();
        services.AddSingleton<ReplicationStarter>();
        services.AddSingleton<RestoreTestStarter>();
        services.AddSingleton<WalArchivingStarter>();
        services.AddSingleton<EventRecorder>();
        services.AddSingleton<StatusBoard>();
        services.AddSingleton<ReplicaBoard>();
        services.AddSingleton<ApiEdge>();
    }

    private static Action<string> Logged(IServiceProvider provider)
    {
        var log = provider.GetRequiredService<ILoggerFactory>().CreateLogger<BackupSite>();
        return sentence => LogWarning(log, sentence);
    }

    [LoggerMessage(5301, LogLevel.Warning, "{Sentence}")]
    private static partial void LogWarning(ILogger logger, string sentence);

    /// <summary>Who calls, where the embedded host lets them in.</summary>
    public static void AddHostCallers(IServiceCollection services) => services.AddSingleton<ICallerSource, HostCallers>();

    /// <summary>Who calls, where Azure lets them in.</summary>
    public static void AddAzureCallers(IServiceCollection services) => services.AddSingleton<ICallerSource, AzureCallers>();
}
