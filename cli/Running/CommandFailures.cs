using FunctionsBackup.SelfHosting.Hosting;

namespace FunctionsBackup.Cli.Running;

/// <summary>The command line asks for something that makes no sense (exit code 2).</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The one place where a failure becomes an exit code and a sentence.</summary>
internal static class CommandFailures
{
    public static int CodeOf(Exception exception) =>
        exception is UsageException or HostingException ? ExitCode.Usage : Orchestrations.Site.Failures.ExitCodeOf(Orchestrations.Site.Failures.KindOf(exception));

    /// <summary>What to tell a person: never a stack trace, always something to do next.</summary>
    public static string Describe(Exception exception) => Orchestrations.Site.Failures.Describe(exception);
}
