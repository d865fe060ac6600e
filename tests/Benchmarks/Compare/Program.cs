using System.Runtime.InteropServices;
using System.Text.Json;
using FunctionsBackup.Benchmarks.Compare;
using FunctionsBackup.Benchmarks.Compare.Processes;
using FunctionsBackup.Benchmarks.Compare.Reporting;
using FunctionsBackup.Benchmarks.Compare.Scenarios;

using var stop = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

try
{
    var settings = Settings.Parse(args);
    var results = new Results();
    results.Notes.Add("Two workers each, encrypted, zstd 3, everything durable at the end of a step; every restore was compared with the original.");
    if (settings.Only.Contains("files", StringComparison.Ordinal)) await new FilesScenario(settings, results).RunAsync(stop.Token);
    if (settings.Only.Contains("database", StringComparison.Ordinal)) await new DatabaseScenario(settings, results).RunAsync(stop.Token);

    var markdown = Report.Markdown(results);
    Console.WriteLine();
    Console.Write(markdown);
    if (settings.Markdown is { } file) await File.WriteAllTextAsync(file, markdown, stop.Token);
    if (settings.Json is { } json)
        await File.WriteAllTextAsync(json, Report.Json(results).ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n", stop.Token);
    return 0;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("compare: interrupted");
    return 130;
}
catch (Exception error) when (error is CommandFailedException or FormatException or System.Diagnostics.UnreachableException)
{
    await Console.Error.WriteLineAsync($"compare: {error.Message}");
    return 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
