using System.Reflection;
using FunctionsBackup.Operations.Scheduling;
using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.SelfHosting.Hosting.Access;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using FunctionsBackup.SelfHosting.Hosting.Http;
using FunctionsBackup.SelfHosting.Hosting.Invocation;
using FunctionsBackup.SelfHosting.Hosting.Settings;
using FunctionsBackup.SelfHosting.Hosting.Timers;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Hosting;

/// <summary>
/// Runs the functions of some assemblies in this process: orchestrations and activities on the embedded engine and, as a server, timers and
/// HTTP too. Build it, then start the engine only (a command) or everything (a server), then stop and dispose it.
/// </summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    private readonly FunctionsHostOptions _options;
    private readonly HostJson _hostJson;
    private readonly ApplicationSettings _settings;
    private readonly FunctionCatalog _catalog;
    private readonly ServiceProvider _services;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly List<Task> _loops = [];
    private DurableEngine? _engine;
    private TimerStore? _timers;
    private HttpServer? _server;

    private FunctionsHost(FunctionsHostOptions options, Action<IServiceCollection> configure, FunctionCatalog catalog)
    {
        _options = options;
        _hostJson = HostJson.Load(Path.Combine(options.ScriptRoot, "host.json"));
        var local = LocalSettings.Load(Path.Combine(options.ScriptRoot, "local.settings.json"));
        _settings = new ApplicationSettings(options.DefaultSettings, local, options.Environment);
        _catalog = catalog;
        var services = new ServiceCollection();
        services.AddSingleton(options.Time);
        services.AddSingleton(options.Loggers);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton(_settings.Configuration);
        services.AddSingleton(_catalog);
        services.AddSingleton<DurableTaskClient>(_ => Client);
        configure(services);
        _services = services.BuildServiceProvider();
    }

    /// <summary>Starts and watches orchestrations.</summary>
    public DurableTaskClient Client => _engine!.Client;

    /// <summary>Of the application; those of a run of a function are in a scope below.</summary>
    public IServiceProvider Services => _services;

    public IReadOnlyList<FunctionDescriptor> Functions => _catalog.Functions;

    /// <summary>The engine, for its history.</summary>
    public DurableEngine Engine => _engine!;

    /// <summary>Where the API listens, once it does.</summary>
    public IReadOnlyList<Uri> Addresses => _server?.Addresses ?? [];

    /// <summary>Finds and checks the functions and opens the state; nothing runs yet.</summary>
    /// <param name="options">How.</param>
    /// <param name="configure">Adds the services that functions get by their constructors.</param>
    /// <param name="assemblies">Where the functions are.</param>
    /// <param name="cancellationToken">Stops opening.</param>
    /// <exception cref="HostingException">Something is wrong: every problem that was found.</exception>
    public static Task<FunctionsHost> BuildAsync(
        FunctionsHostOptions options, Action<IServiceCollection> configure, IEnumerable<Assembly> assemblies,
        CancellationToken cancellationToken) => BuildAsync(options, configure, FunctionCatalog.Discover(assemblies), cancellationToken);

    internal static async Task<FunctionsHost> BuildAsync(
        FunctionsHostOptions options, Action<IServiceCollection> configure, FunctionCatalog catalog, CancellationToken cancellationToken)
    {
        MakeStateFolder(options.StateFolder);
        var host = new FunctionsHost(options, configure, catalog);
        try
        {
            var registry = TaskBinding.Register(host._catalog, host._services, () => host.Client, host._hostJson.FunctionTimeout, options.Time);
            var engine = new DurableEngineOptions
            {
                DatabasePath = options.EngineFile, Time = options.Time, StopGrace = options.StopGrace, Loggers = options.Loggers,
            };
            if ((options.MaxConcurrentActivities ?? host._hostJson.MaxConcurrentActivities) is { } activities)
                engine = engine with { MaxConcurrentActivities = activities };
            if (host._hostJson.MaxConcurrentOrchestrators is { } orchestrators)
                engine = engine with { MaxConcurrentOrchestrators = orchestrators };
            host._engine = await DurableEngine.OpenAsync(engine, registry, cancellationToken);
            return host;
        }
        catch (StateFileException e)
        {
            await host.DisposeAsync();
            throw new HostingException(e.Message, e);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs orchestrations and activities only. True if this process does the work; false if another one does, until it ends.</summary>
    public bool StartEngine()
    {
        var worker = new WorkerLoop(Engine, _options.Time, _options.Loggers.CreateLogger<WorkerLoop>());
        var started = worker.TryStart();
        _loops.Add(Task.Run(() => worker.RunAsync(_stopping.Token)));
        return started;
    }

    /// <summary>Runs everything: engine, timers, HTTP.</summary>
    /// <exception cref="HostingException">A schedule, a route or an address cannot be used: nothing was started.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var timers = ReadTimers();
        var routes = HttpRoute.Read(_catalog, _hostJson.RoutePrefix);
        var keys = new ApiKeys(_options.KeyFile, _options.Time);
        _server = new HttpServer(routes, _options, _hostJson, keys, _services, Client);
        _timers = new TimerStore(_options.TimerFile);
        await _server.StartAsync(cancellationToken);
        StartEngine();
        var owner = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}";
        var log = _options.Loggers.CreateLogger<TimerLoop>();
        foreach (var timer in timers)
        {
            var invoker = new FunctionInvoker(timer.Function);
            var loop = new TimerLoop(timer, _timers, owner, _options.Time, log, (info, abort) => RunAsync(invoker, info, abort));
            _loops.Add(Task.Run(() => loop.RunAsync(_stopping.Token, _abort.Token), CancellationToken.None));
        }
    }

    /// <summary>
    /// Begins nothing new, and lets requests, timers and activities end within <see cref="FunctionsHostOptions.StopGrace"/>; then cancels
    /// them. What was cancelled is done again after the next start.
    /// </summary>
    /// <param name="cancellationToken">Ends the grace time.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        using var grace = new CancellationTokenSource(_options.StopGrace, _options.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(grace.Token, cancellationToken);
        await using var abort = linked.Token.Register(_abort.Cancel);
        var server = _server?.StopAsync(linked.Token) ?? Task.CompletedTask;
        var worker = _engine?.StopWorkerAsync(cancellationToken) ?? Task.CompletedTask;
        await Task.WhenAll([server, worker, .. _loops]);
        _loops.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _abort.CancelAsync();
        await Task.WhenAll(_loops);
        if (_server is not null) await _server.DisposeAsync();
        if (_engine is not null) await _engine.DisposeAsync();
        _timers?.Dispose();
        await _services.DisposeAsync();
        _stopping.Dispose();
        _abort.Dispose();
    }

    private async Task RunAsync(FunctionInvoker invoker, TimerInfo info, CancellationToken abort)
    {
        using var late = new CancellationTokenSource(_hostJson.FunctionTimeout ?? Timeout.InfiniteTimeSpan, _options.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(abort, late.Token);
        await invoker.RunAsync(_services, info, Client, null, null, null, linked.Token);
    }

    private List<TimerFunction> ReadTimers()
    {
        // The setting that Azure Functions has for the zone of its timers.
        var name = _settings.Configuration["WEBSITE_TIME_ZONE"] ?? "UTC";
        if (TimeZones.TryFind(name, out var zone) is { } problem) throw new HostingException($"The setting WEBSITE_TIME_ZONE {problem}.");
        var problems = new List<string>();
        var timers = new List<TimerFunction>();
        foreach (var function in _catalog.Of(FunctionKind.Timer))
        {
            try
            {
                timers.Add(TimerFunction.Of(function, _settings, zone!, _options.Time.GetUtcNow()));
            }
            catch (HostingException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return problems.Count == 0 ? timers : throw new HostingException(problems);
    }

    private static void MakeStateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostingException($"The state folder {folder} cannot be made: {e.Message}", e);
        }
    }
}
