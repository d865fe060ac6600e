using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FunctionsBackup.SelfHosting.Hosting;

/// <summary>How a host runs.</summary>
public sealed record FunctionsHostOptions
{
    /// <summary>The engine's file in the state folder.</summary>
    public const string EngineFileName = "engine.sqlite";

    /// <summary>Folder of <c>host.json</c> and <c>local.settings.json</c>; neither need be there.</summary>
    public required string ScriptRoot { get; init; }

    /// <summary>Folder of the engine's, the timers' and the keys' files; made when missing, for its owner alone. Hosts that share it share
    /// their work.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Where the API listens.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:7071"];

    /// <summary>Application settings where neither the environment nor <c>local.settings.json</c> has them: for <c>%NAME%</c>.</summary>
    public IReadOnlyDictionary<string, string> DefaultSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>The variables of the process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long a stop waits for what runs before it cancels it.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bodies beyond are refused.</summary>
    public long MaximumRequestBytes { get; init; } = 1 << 20;

    /// <summary>At most so many activities at once; null: as host.json or the engine has it.</summary>
    public int? MaxConcurrentActivities { get; init; }

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The file of the API keys.</summary>
    public string KeyFile => Path.Combine(StateFolder, "api-keys.json");

    internal string EngineFile => Path.Combine(StateFolder, EngineFileName);

    internal string TimerFile => Path.Combine(StateFolder, "timers.sqlite");
}
