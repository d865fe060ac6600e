using System.Data.Common;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Repository;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Cli.Running;

/// <summary>The command line asks for something that makes no sense (exit code 2).</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The one place where a failure becomes an exit code and a sentence.</summary>
internal static class Failures
{
    public static int CodeOf(Exception exception) => exception switch
    {
        OperationCanceledException => ExitCode.Interrupted,
        UsageException or ConfigurationException or WrongKeyException => ExitCode.Usage,
        SnapshotNotFoundException or NotARepositoryException => ExitCode.NotFound,
        DamageException => ExitCode.Damage,
        ObjectNotFoundException => ExitCode.Damage,
        AggregateException { InnerException: { } inner } => CodeOf(inner),
        _ => ExitCode.Failed,
    };

    /// <summary>What to tell a person: never a stack trace, always something to do next.</summary>
    public static string Describe(Exception exception) => exception switch
    {
        OperationCanceledException => "Interrupted; what was not committed is not visible, and the same command starts afresh.",
        ConfigurationException { Errors.Count: > 0 } configuration => configuration.Message,
        UsageException or ConfigurationException or RepositoryException or StoreException => exception.Message,
        AggregateException { InnerException: { } inner } => Describe(inner),
        IOException or UnauthorizedAccessException => exception.Message,
        DbException => $"PostgreSQL refused: {FirstLine(exception.Message)}",
        _ when IsOwn(exception) => exception.Message,
        _ => $"{exception.GetType().Name}: {FirstLine(exception.Message)} This was not expected; set FBACKUP_DEBUG=1 to see where it came from.",
    };

    /// <summary>Exceptions that our own libraries throw on purpose say what is wrong and what to do.</summary>
    private static bool IsOwn(Exception exception) =>
        exception.GetType().Namespace?.StartsWith("FunctionsBackup.", StringComparison.Ordinal) == true;

    private static string FirstLine(string message) => message.Split('\n')[0].Trim().TrimEnd('.') + ".";
}
