using FunctionsBackup.Functions;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.SelfHosting.Hosting;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace FunctionsBackup.Cli.Running.Work;

/// <summary>
/// The durable engine in this process, with the orchestrations of the schedule: what a command starts is the same work, on the same state.
/// Where a host serves, it does the work, and this process only looks on.
/// </summary>
internal sealed class WorkHost : IAsyncDisposable
{
    private readonly FunctionsHost _host;

    private WorkHost(FunctionsHost host) => _host = host;

    public DurableTaskClient Client => _host.Client;

    /// <summary>Whether the work is done in this process.</summary>
    public bool WorksHere { get; private init; }

    /// <summary>Opens the state and does what is to be done there, unless another process does.</summary>
    /// <exception cref="HostingException">The state cannot be used.</exception>
    public static async Task<WorkHost> StartAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var host = await BuildAsync(context, cancellationToken);
        return new WorkHost(host) { WorksHere = host.StartEngine() };
    }

    /// <summary>Opens the state to look and to steer; does no work.</summary>
    /// <exception cref="HostingException">The state cannot be used.</exception>
    public static async Task<WorkHost> LookAsync(CommandContext context, CancellationToken cancellationToken) =>
        new(await BuildAsync(context, cancellationToken));

    /// <summary>Whether there is any state to look at.</summary>
    public static bool HasState(CommandContext context) => File.Exists(Path.Combine(StateFolder(context), FunctionsHostOptions.EngineFileName));

    public static string StateFolder(CommandContext context) => SelfHosted.FindStateFolder(context.Environment, context.ConfigurationFile);

    public async ValueTask DisposeAsync()
    {
        // What still runs here belongs to others: it rests until the next worker goes on with it.
        await _host.StopAsync(new CancellationToken(canceled: true));
        await _host.DisposeAsync();
    }

    private static Task<FunctionsHost> BuildAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var options = new FunctionsHostOptions
        {
            ScriptRoot = AppContext.BaseDirectory, StateFolder = StateFolder(context), Environment = context.Environment, Time = context.Time,
        };
        return FunctionsHost.BuildAsync(
            options, services => services.AddSingleton(context.Site), [typeof(BackupOrchestrator).Assembly], cancellationToken);
    }
}
