using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Protocol;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Wal.Receiving;

/// <summary>Follows a server from one timeline to the next.</summary>
internal static class ServerTimelines
{
    /// <summary>Archives the histories of the server's timeline and of those it comes from.</summary>
    public static async ValueTask<TimelineHistory> ArchiveAsync(
        WalReceiverOptions options, ReplicationSession session, WalArchive archive, CancellationToken cancellationToken)
    {
        if (session.Timeline <= 1) return TimelineHistory.First(session.Timeline);
        var content = await ReplicationSession.ReadHistoryAsync(options, session.Timeline, cancellationToken);
        var path = TimelineHistory.Parse(session.Timeline, content);
        foreach (var ancestor in path.Ancestors)
        {
            if (ancestor.Timeline <= 1) continue;
            var known = await archive.FetchAsync(
                string.Create(CultureInfo.InvariantCulture, $"{ancestor.Timeline:X8}.history"), cancellationToken);
            if (known is not null) continue;
            try
            {
                var history = await ReplicationSession.ReadHistoryAsync(options, ancestor.Timeline, cancellationToken);
                await archive.PushHistoryAsync(ancestor.Timeline, history, cancellationToken);
            }
            catch (PostgresProtocolException e) when (e.SqlState == PostgresErrorCodes.UndefinedFile)
            {
                // The server has no copy of an old ancestor's file; the newer ones repeat its lines.
                continue;
            }
        }

        await archive.PushHistoryAsync(session.Timeline, content, cancellationToken);
        return path;
    }

    /// <summary>Goes over to the next timelines whose fork has been reached.</summary>
    public static async ValueTask FollowAsync(
        WalArchive archive, TimelineHistory path, SegmentBuffer buffer, CancellationToken cancellationToken)
    {
        while (buffer.Name.Timeline != path.Timeline)
        {
            var fork = path.SwitchedFrom(buffer.Name.Timeline) ?? throw new WalFormatException(
                $"The server's timeline {path.Timeline} does not come from timeline {buffer.Name.Timeline}, which the archive has "
                    + "last; receive it into an archive of its own.");
            if (buffer.Position < fork) return;
            if (buffer.HasNews)
            {
                await archive.PushPartAsync(buffer.Name, buffer.SegmentSize, buffer.Archived, buffer.News, cancellationToken);
                buffer.MarkArchived();
            }

            // The new timeline's first segment begins with a copy of the old one's bytes up to the fork.
            await ReceiveStart.BeginAsync(
                archive, WalSegmentName.Containing(path.At(fork), fork, buffer.SegmentSize), buffer, cancellationToken);
        }
    }
}
