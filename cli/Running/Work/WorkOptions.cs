using System.CommandLine;

namespace FunctionsBackup.Cli.Running.Work;

/// <summary>Options of all commands that do work.</summary>
internal static class WorkOptions
{
    public const string Detach = "detach";

    public static Option<string> OnInterrupt { get; } = Create();

    private static Option<string> Create()
    {
        var option = new Option<string>("--on-interrupt")
        {
            Description = "What Ctrl-C does: cancel the work, or detach from it.",
            HelpName = "cancel|detach",
            DefaultValueFactory = _ => "cancel",
        };
        option.AcceptOnlyFromAmong("cancel", Detach);
        return option;
    }
}
