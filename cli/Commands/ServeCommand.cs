using System.CommandLine;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Functions;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>serve</c>: the host that runs the schedule, does the work and answers HTTP. <c>serve keys</c>: who may call it.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var urls = new Option<string[]>("--urls")
        {
            Description = "Where the API listens; other addresses than loopback need API keys.", HelpName = "URL",
            DefaultValueFactory = _ => ["http://127.0.0.1:7071"], AllowMultipleArgumentsPerToken = true,
        };
        return new Command("serve", "Run the schedule and the HTTP API.") { urls, ServeKeysCommand.Create() }.Does(async (context, cancellationToken) =>
        {
            _ = context.Configuration; // a wrong one is told before anything starts
            using var loggers = LoggerFactory.Create(logging => logging
                .AddSimpleConsole(console =>
                {
                    console.SingleLine = true;
                    console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
                    console.UseUtcTimestamp = true;
                })
                .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
            var options = new FunctionsHostOptions
            {
                ScriptRoot = AppContext.BaseDirectory,
                StateFolder = WorkHost.StateFolder(context),
                Environment = context.Environment,
                Urls = [.. context.Get(urls)!.SelectMany(u => u.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
                Loggers = loggers,
            };
            var site = new SiteOptions(context.ConfigurationFile, context.Environment)
            {
                RecoveryKeyFile = context.Arguments.GetValue(GlobalOptions.RecoveryKeyFile), Warn = context.Printer.Warn,
            };
            return await SelfHosted.ServeAsync(
                options, site,
                addresses => context.Printer.Note($"Serving at {string.Join(", ", addresses)} with state in {options.StateFolder}."), cancellationToken);
        });
    }
}
