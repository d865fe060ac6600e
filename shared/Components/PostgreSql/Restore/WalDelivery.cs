using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>
/// Puts the WAL that recovery needs into <c>pg_wal</c>, for a server that has no restore_command to get it with: one that may not read the
/// repository, or a throw-away one.
/// </summary>
internal static class WalDelivery
{
    /// <summary>A restore_command that finds nothing, so that the server looks into pg_wal. One must be set (PostgreSQL manual, 26.3.5).</summary>
    public const string NoCommand = "false";

    /// <summary>Writes the segments from <paramref name="from"/> to <paramref name="to"/> and the history files on the way.</summary>
    /// <returns>Bytes written.</returns>
    public static async ValueTask<long> WriteAsync(
        WalArchive archive, uint timeline, Lsn from, Lsn to, int segmentSize, DataDirectoryFiles files, CancellationToken cancellationToken)
    {
        var written = 0L;
        var history = await archive.GetHistoryAsync(timeline, cancellationToken).ConfigureAwait(false);
        foreach (var number in history.Ancestors.Select(static fork => fork.Timeline).Append(timeline))
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{number:X8}.history");
            if (await archive.FetchAsync(name, cancellationToken).ConfigureAwait(false) is { } content)
                written += await files.WriteAsync("pg_wal/" + name, content, cancellationToken).ConfigureAwait(false);
        }

        var size = (ulong)segmentSize;
        for (var start = new Lsn(from.Value / size * size); start < to; start += size)
        {
            foreach (var candidate in history.Candidates(start, segmentSize))
            {
                var name = WalSegmentName.Containing(candidate, start, segmentSize);
                if (await archive.FetchSegmentAsync(name, cancellationToken).ConfigureAwait(false) is not { } segment) continue;
                written += await files.WriteAsync($"pg_wal/{name}", segment.Bytes, cancellationToken).ConfigureAwait(false);
                break;
            }
        }

        return written;
    }
}
