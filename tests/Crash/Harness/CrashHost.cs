using System.Diagnostics;
using System.Globalization;
using FunctionsBackup.Tests.Crash.Host;

namespace FunctionsBackup.Tests.Crash.Harness;

/// <summary>Runs the child process that is killed.</summary>
internal static class CrashHost
{
    private const int KilledBySignal9 = 137;

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "crash-host");

    /// <summary>Lets a deed run to its end.</summary>
    /// <returns>How many writes it took.</returns>
    public static async Task<int> RunAsync(string store, string deed, string argument = "")
    {
        var (code, output, _) = await StartAsync(store, 0, KillMoment.Before, deed, argument, killAfter: null);
        code.ShouldBe(0, output);
        return int.Parse(output.Split("writes ")[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Kills a deed at its <paramref name="killAt"/>-th write.</summary>
    public static async Task KillAtAsync(string store, int killAt, KillMoment moment, string deed, string argument = "")
    {
        var (code, output, _) = await StartAsync(store, killAt, moment, deed, argument, killAfter: null);
        code.ShouldBe(KilledBySignal9, $"{deed} was to die at write {killAt}: {output}");
    }

    /// <summary>Kills a deed some time after it has opened the repository.</summary>
    /// <returns>How long it took after opening, if it had ended before; else null.</returns>
    public static async Task<TimeSpan?> KillAfterAsync(string store, TimeSpan time, string deed, string argument = "")
    {
        var (code, output, took) = await StartAsync(store, 0, KillMoment.Before, deed, argument, time);
        code.ShouldBeOneOf([0, KilledBySignal9], output);
        return code == 0 ? took : null;
    }

    private static async Task<(int Code, string Output, TimeSpan Took)> StartAsync(
        string store, int killAt, KillMoment moment, string deed, string argument, TimeSpan? killAfter)
    {
        string[] arguments =
            [store, killAt.ToString(CultureInfo.InvariantCulture), moment.ToString(), deed, argument];
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_TieredPGO"] = "0";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var first = "";
        var clock = Stopwatch.StartNew();
        if (killAfter is { } time)
        {
            first = await process.StandardOutput.ReadLineAsync() ?? "";
            clock.Restart();
            await Task.WhenAny(Task.Delay(time), process.WaitForExitAsync());
            clock.Stop();
            process.Kill();
        }

        var output = first + await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors, clock.Elapsed);
    }
}
