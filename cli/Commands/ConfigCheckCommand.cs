using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>config check</c>: reads the configuration and says what is wrong with it; opens nothing.</summary>
internal static class ConfigCheckCommand
{
    public static Command Create() =>
        new Command("check", "Validate the configuration file and the FBACKUP__… overrides.").Does((context, _) =>
    {
        var configuration = context.Configuration;
        var notes = configuration.Notes.ToList();
        foreach (var note in notes) context.Printer.Note($"note: {note}");
        context.Printer.Result(
            () => new JsonObject
            {
                ["file"] = configuration.File,
                ["valid"] = true,
                ["components"] = new JsonArray([.. configuration.ConfiguredComponents.Select(c => JsonValue.Create(c))]),
                ["notes"] = new JsonArray([.. notes.Select(n => JsonValue.Create(n))]),
            },
            output => output.WriteLine($"{configuration.File} is valid."));
        return Task.FromResult(ExitCode.Done);
    });
}
