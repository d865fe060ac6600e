using FunctionsBackup.Functions;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using FunctionsBackup.Storage.FileSystem;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FunctionsBackup.Tests.Functions;

/// <summary>A folder with a configuration and a repository, and hosts on it that have the real triggers and stand-ins for the orchestrations.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    public const string Yaml = """
        backup_config:
          global: { encryption: false, time_zone: Europe/Berlin }
          storage: { path: ./repository }
          components:
            voice_data: { paths: [./recordings] }
            logs: { paths: [./logs] }
          policies:
            voice_data:
              schedule: { full_backup: "30 2 * * *", incremental: "0 */4 * * *" }
            logs:
              schedule: { snapshot: "15 */10 * * * *" }
            redis:
              schedule: { snapshot: "0 * * * *" }

        """;

    private readonly List<FunctionsHost> _hosts = [];

    public string Folder { get; } = Directory.CreateTempSubdirectory("fbackup-functions-").FullName;

    public string ConfigurationFile => Path.Combine(Folder, "backup_config.yaml");

    public string StateFolder => Path.Combine(Folder, "state");

    public static async Task<TestSite> CreateAsync()
    {
        var site = new TestSite();
        File.WriteAllText(site.ConfigurationFile, Yaml);
        Directory.CreateDirectory(Path.Combine(site.Folder, "recordings"));
        FileSystemObjectStore.Initialize(Path.Combine(site.Folder, "repository"));
        await using var store = new FileSystemObjectStore(Path.Combine(site.Folder, "repository"), TimeProvider.System);
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(new InitRequest { Encrypt = false }, CancellationToken.None);
        return site;
    }

    /// <summary>A host that is built and not started.</summary>
    public async Task<FunctionsHost> BuildAsync(TimeProvider? time = null, ILoggerFactory? loggers = null)
    {
        var options = new FunctionsHostOptions
        {
            ScriptRoot = Folder, StateFolder = StateFolder, Urls = ["http://127.0.0.1:0"], Time = time ?? TimeProvider.System,
            DefaultSettings = AppSettings.Defaults, Loggers = loggers ?? NullLoggerFactory.Instance, StopGrace = TimeSpan.FromSeconds(1),
        };
        var triggers = typeof(FunctionsApp).Assembly.GetTypes();
        var host = await FunctionsHost.BuildAsync(
            options,
            services =>
            {
                FunctionsApp.AddServices(services, new SiteOptions(ConfigurationFile, new Dictionary<string, string>()) { StateFolder = StateFolder });
                FunctionsApp.AddHostCallers(services);
            },
            FunctionCatalog.Of([.. triggers, typeof(StandIns)]), CancellationToken.None);
        _hosts.Add(host);
        return host;
    }

    /// <summary>A host that serves.</summary>
    public async Task<FunctionsHost> ServeAsync()
    {
        var host = await BuildAsync();
        await host.StartAsync(CancellationToken.None);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts) await host.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
