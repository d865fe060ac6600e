using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Storage.Validation;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>repository validate</c>: tries the configured store before anything is trusted to it. Needs no repository there and no key, and
/// leaves nothing behind. Exit code 1 when a repository must not be kept there, 3 when somebody should look.
/// </summary>
internal static class RepositoryValidateCommand
{
    private const int PageSize = 5;

    public static Command Create()
    {
        var size = new Option<int>("--size")
        {
            Description = "MiB of the object that measures throughput.",
            DefaultValueFactory = _ => 16,
        };
        size.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1024) result.AddError("--size must be from 1 to 1024.");
        });
        return new Command("validate", "Try whether the store keeps the promises that a repository rests on.") { size }.Does(
            async (context, cancellationToken) =>
        {
            var configuration = context.Configuration;
            await using var store = StoreFactory.Create(configuration, context.Secrets, context.Time, PageSize);
            var needsDelete = Settings.Components.Any(c => !configuration.Retention(c).IsEmpty);
            var options = new ValidationOptions { LargeSize = context.Get(size) << 20, NeedsDelete = needsDelete };
            var report = await new StoreValidator(store, options, context.Time).RunAsync(cancellationToken);
            context.Printer.Result(() => ToJson(report, store.Description), output =>
            {
                output.WriteLine(store.Description);
                var table = new Table("check", "outcome", "finding");
                foreach (var check in report.Checks) table.Add(check.Name, Word(check.Outcome), check.Finding);
                table.Write(output, context.Printer.IsTerminal);
            });
            if (report.Left.Count > 0)
                context.Printer.Warn($"{report.Left.Count} objects of this test could not be removed, such as {report.Left[0]}.");
            return report.Outcome switch
            {
                CheckOutcome.Passed => ExitCode.Done,
                CheckOutcome.Warning => ExitCode.Warnings,
                _ => ExitCode.Failed,
            };
        });
    }

    private static string Word(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Passed => "ok",
        CheckOutcome.Warning => "warning",
        _ => "FAILED",
    };

    private static JsonObject ToJson(ValidationReport report, string location) => new()
    {
        ["location"] = location,
        ["outcome"] = report.Outcome.ToString().ToLowerInvariant(),
        ["checks"] = new JsonArray([.. report.Checks.Select(c => new JsonObject
        {
            ["check"] = c.Name,
            ["outcome"] = c.Outcome.ToString().ToLowerInvariant(),
            ["finding"] = c.Finding,
        })]),
        ["create_latency_ms"] = report.CreateLatency?.TotalMilliseconds,
        ["read_latency_ms"] = report.ReadLatency?.TotalMilliseconds,
        ["write_bytes_per_second"] = report.WriteRate,
        ["read_bytes_per_second"] = report.ReadRate,
        ["clock_drift_seconds"] = report.ClockDrift?.TotalSeconds,
        ["left_behind"] = new JsonArray([.. report.Left.Select(n => JsonValue.Create(n))]),
    };
}
