using System.Data.Common;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.LiveKit;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Protocol;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>The one place where an exception becomes a sentence, a kind, and the answer to whether trying again may help.</summary>
public static class Failures
{
    public static Failure Of(Exception exception) => new(KindOf(exception), Describe(exception));

    /// <summary>Of a task that failed for good.</summary>
    public static Failure Of(TaskFailedException exception)
    {
        var details = exception.FailureDetails;
        while (details is { InnerFailure: { } inner } && details.IsCausedBy<TaskFailedException>()) details = inner;
        var kind = details switch
        {
            _ when details.IsCausedBy<OperationCanceledException>() => FailureKind.Interrupted,
            _ when details.IsCausedBy<DamageException>() || details.IsCausedBy<ObjectNotFoundException>() => FailureKind.Damage,
            _ when details.IsCausedBy<ConfigurationException>() || details.IsCausedBy<WrongKeyException>()
                || details.IsCausedBy<WriteOnlyException>() => FailureKind.Configuration,
            _ => FailureKind.Failed,
        };
        return new Failure(kind, FirstLine(details.ErrorMessage));
    }

    public static FailureKind KindOf(Exception exception) => exception switch
    {
        OperationCanceledException => FailureKind.Interrupted,
        ConfigurationException or WrongKeyException or WriteOnlyException or InvalidRequestException or FormatException => FailureKind.Configuration,
        LiveKitException { IsDenied: true } or RedisException { IsDenied: true } => FailureKind.Configuration,
        SnapshotNotFoundException or NotARepositoryException => FailureKind.NotFound,
        DamageException or ObjectNotFoundException => FailureKind.Damage,
        AggregateException { InnerException: { } inner } => KindOf(inner),
        _ => FailureKind.Failed,
    };

    /// <summary>What <c>fbackup</c> exits with.</summary>
    public static int ExitCodeOf(FailureKind kind) => kind switch
    {
        FailureKind.Configuration => 2,
        FailureKind.NotFound => 4,
        FailureKind.Damage => 5,
        FailureKind.Interrupted => 130,
        _ => 1,
    };

    /// <summary>What to tell a person: never a stack trace, always something to do next.</summary>
    public static string Describe(Exception exception) => exception switch
    {
        OperationCanceledException => "Interrupted; what was not committed is not visible, and the same command starts afresh.",
        ConfigurationException or InvalidRequestException or RepositoryException or StoreException => exception.Message,
        AggregateException { InnerException: { } inner } => Describe(inner),
        IOException or UnauthorizedAccessException => exception.Message,
        DbException => $"PostgreSQL refused: {FirstLine(exception.Message)}",
        _ when IsOwn(exception) => exception.Message,
        _ => $"{exception.GetType().Name}: {FirstLine(exception.Message)} This was not expected; set FBACKUP_DEBUG=1 to see where it came from.",
    };

    /// <summary>
    /// Whether the same work may succeed when it is done again: troubles of network and disk, and what nobody foresaw. Not what a person
    /// must mend: configuration, passwords, damage, refusals.
    /// </summary>
    public static bool IsWorthRetrying(Exception exception) => exception switch
    {
        OperationCanceledException => false,
        AggregateException { InnerException: { } inner } => IsWorthRetrying(inner),
        StoreFullException or StoreAccessException or ObjectNotFoundException => false,
        StoreException => true,
        ConfigurationException or InvalidRequestException or FormatException => false,
        KeyServiceException service => service.MayPass,
        RepositoryException => false,
        PostgresBackupException backup => backup.IsTransient,
        PostgresProtocolException refusal => refusal.IsTransient,
        LiveKitException livekit => livekit.IsTransient,
        RedisException redis => redis.IsTransient,
        RdbFormatException => false,
        RestoreRefusedException => false,
        FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException => false,
        DbException db => db.IsTransient || db.SqlState is null,
        _ => true,
    };

    /// <summary>Exceptions that our own libraries throw on purpose say what is wrong and what to do.</summary>
    private static bool IsOwn(Exception exception) =>
        exception.GetType().Namespace?.StartsWith("FunctionsBackup.", StringComparison.Ordinal) == true;

    private static string FirstLine(string message) => message.Split('\n')[0].Trim().TrimEnd('.') + ".";
}
