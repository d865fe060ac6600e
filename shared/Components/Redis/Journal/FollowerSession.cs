using System.Globalization;
using FunctionsBackup.Components.Redis.Protocol;

namespace FunctionsBackup.Components.Redis.Journal;

/// <summary>One connection that asks for the stream from behind an offset on (replication.c).</summary>
internal static class FollowerSession
{
    /// <summary>What the server answers.</summary>
    /// <param name="Continues">The stream comes; otherwise all data would, as of the position.</param>
    /// <param name="ReplicationId">Of the stream; null: the one that was asked for.</param>
    /// <param name="Offset">If it does not continue: where the server is.</param>
    public readonly record struct Answer(bool Continues, string? ReplicationId, long Offset);

    /// <param name="connection">Of its own.</param>
    /// <param name="replicationId">Null: any; then all data would come.</param>
    /// <param name="offset">Bytes that are there already.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<Answer> AskAsync(RedisConnection connection, string? replicationId, long offset, CancellationToken cancellationToken)
    {
        await connection.CallAsync(cancellationToken, "REPLCONF", "capa", "eof", "capa", "psync2").ConfigureAwait(false);
        await connection.SendAsync(
            new RedisArgument[] { "PSYNC", replicationId ?? "?", replicationId is null ? -1 : offset + 1 }, cancellationToken).ConfigureAwait(false);
        await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
        string line;
        do line = await connection.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        while (line.Length == 0);
        if (line.StartsWith('-')) throw RedisException.Of(connection.Server, line[1..]);
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is ["+CONTINUE"] && replicationId is not null) return new Answer(true, null, offset);
        if (words is ["+CONTINUE", var id] && replicationId is not null && JournalPart.IsReplicationId(id)) return new Answer(true, id, offset);
        return words is ["+FULLRESYNC", var its, var text] && JournalPart.IsReplicationId(its)
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? new Answer(false, its, at)
            : throw RedisException.Nonsense(connection.Server, "no answer to PSYNC");
    }
}
