using System.CommandLine;
using FunctionsBackup.Cli;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;

Printers.Prepare();
if (args is ["--version"])
{
    Console.Out.WriteLine($"fbackup {CommandLine.Version}");
    Console.Out.Flush();
    return ExitCode.Done;
}

using var interruption = new Interruption();
try
{
    var arguments = CommandLine.Create().Parse(args, CommandLine.Parsing);
    if (arguments.Errors.Count > 0) throw new UsageException(CommandLine.Explain(arguments));
    var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
    var code = await arguments.InvokeAsync(configuration, interruption.Token);
    await Console.Out.FlushAsync();
    return interruption.Token.IsCancellationRequested && code == ExitCode.Failed ? ExitCode.Interrupted : code;
}
#pragma warning disable CA1031 // The boundary: every failure becomes a sentence and an exit code here.
catch (Exception e)
#pragma warning restore CA1031
{
    if (Environment.GetEnvironmentVariable("FBACKUP_DEBUG") == "1") Console.Error.WriteLine(e);
    using var printer = Printers.Create(json: false);
    printer.Error(interruption.Token.IsCancellationRequested ? CommandFailures.Describe(new OperationCanceledException()) : CommandFailures.Describe(e));
    return interruption.Token.IsCancellationRequested ? ExitCode.Interrupted : CommandFailures.CodeOf(e);
}
