using System.Diagnostics;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>What a short-lived program did.</summary>
public sealed record ProgramResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Both outputs, for messages.</summary>
    public string Text => (Output + Errors).Trim();
}

/// <summary>Runs short-lived programs to their end.</summary>
public static class ProgramRun
{
    /// <summary>Runs a program and collects what it prints. On cancellation it is killed, with what it started.</summary>
    public static async Task<ProgramResult> RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return new ProgramResult(process.ExitCode, await output.ConfigureAwait(false), await errors.ConfigureAwait(false));
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
