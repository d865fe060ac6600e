using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>config show</c>: the effective values and where each comes from. Secrets are shown as the references they are.</summary>
internal static class ConfigShowCommand
{
    public static Command Create()
    {
        var all = new Option<bool>("--all") { Description = "Also the settings that are not set." };
        return new Command("show", "Show the effective configuration and where each value comes from.") { all }.Does((context, _) =>
        {
            var shown = context.Configuration.Effective.Where(e => e.Value is not null || context.Get(all)).ToList();
            context.Printer.Result(() => ToJson(context.Configuration, shown), output =>
            {
                var table = new Table("setting", "value", "from");
                foreach (var effective in shown)
                    table.Add(effective.Setting.Path, effective.Display, effective.Value is null ? "not set" : effective.Source);
                table.Write(output, context.Printer.IsTerminal);
            });
            return Task.FromResult(ExitCode.Done);
        });
    }

    private static JsonObject ToJson(BackupConfiguration configuration, IEnumerable<EffectiveSetting> shown) => new()
    {
        ["file"] = configuration.File,
        ["settings"] = new JsonArray([.. shown.Select(effective => new JsonObject
        {
            ["path"] = effective.Setting.Path,
            ["value"] = Value(effective),
            ["from"] = effective.Value is null ? null : effective.Source,
            ["environment_variable"] = effective.Setting.EnvironmentVariable,
            ["about"] = effective.Setting.Documentation,
        })]),
    };

    private static JsonNode? Value(EffectiveSetting effective) => effective.Value switch
    {
        null => null,
        bool yes => JsonValue.Create(yes),
        int number => JsonValue.Create(number),
        IReadOnlyList<string> texts => new JsonArray([.. texts.Select(t => JsonValue.Create(t))]),
        _ => JsonValue.Create(effective.Display),
    };
}
