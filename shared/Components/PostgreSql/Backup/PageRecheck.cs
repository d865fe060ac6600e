using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Components.PostgreSql.Protocol;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Looks once more at pages that were bad when they were read, at the end of the backup. One that the server was just writing then is whole
/// now, with an LSN between start and stop, so that replay mends the stored copy too: it is no defect. All others stay reported.
/// </summary>
/// <param name="checker">What makes a page good.</param>
/// <param name="stop">End of the backup.</param>
internal sealed class PageRecheck(PageChecker checker, Lsn stop)
{
    /// <summary>Reads a page by its file's catalog path; null if it cannot be had.</summary>
    public delegate ValueTask<byte[]?> ReadPage(string path, long offset, int length);

    /// <summary>The sentences for what is still bad.</summary>
    /// <param name="reports">What was found.</param>
    /// <param name="segmentBlocks">Pages per file.</param>
    /// <param name="read">How a page is read again.</param>
    public async ValueTask<IReadOnlyList<string>> RunAsync(IEnumerable<PageReport> reports, uint segmentBlocks, ReadPage read)
    {
        var warnings = new List<string>();
        foreach (var report in reports)
        {
            // So many at once are no accident of timing.
            if (report.Count > PageReport.MaximumDefects)
            {
                warnings.Add(report.ToWarning()!);
                continue;
            }

            if (!RelationFile.TryParse(report.Path, out var file)) continue;
            var left = new PageReport(report.Path);
            foreach (var defect in report.Defects)
            {
                var offset = (long)(defect.Block - (file.Segment * segmentBlocks)) * checker.PageSize;
                if (defect.Fault == PageFault.Partial || await read(report.Path, offset, checker.PageSize) is not { } page || !IsMended(page, defect.Block))
                    left.Add(defect);
            }

            if (left.ToWarning() is { } warning) warnings.Add(warning);
        }

        return warnings;
    }

    /// <summary>Path of a file relative to the data directory, where tablespaces are reached through their links.</summary>
    public static string RelativePath(string catalogPath) =>
        catalogPath.StartsWith($"{DataDirectoryScan.Root}/", StringComparison.Ordinal) ? catalogPath[(DataDirectoryScan.Root.Length + 1)..] : catalogPath;

    /// <summary>
    /// A way to read pages through an ordinary session of the same user. Where that user may not connect, or not read files, nothing is read
    /// and everything stays reported.
    /// </summary>
    public static async ValueTask<IReadOnlyList<string>> RunOverSqlAsync(
        PageRecheck recheck, IReadOnlyList<PageReport> reports, uint segmentBlocks, string connectionString, CancellationToken cancellationToken)
    {
        if (reports.Count == 0) return [];
        var builder = PostgresConnectionString.Parse(connectionString);
        builder.Pooling = false;
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        return await recheck.RunAsync(
            reports,
            segmentBlocks,
            async (path, offset, length) =>
            {
                try
                {
                    if (connection.State != System.Data.ConnectionState.Open) await connection.OpenAsync(cancellationToken);
                    await using var command = new NpgsqlCommand("select pg_read_binary_file($1, $2, $3, true)", connection)
                    {
                        Parameters = { new() { Value = RelativePath(path) }, new() { Value = offset }, new() { Value = (long)length } },
                    };
                    return await command.ExecuteScalarAsync(cancellationToken) as byte[];
                }
                catch (NpgsqlException)
                {
                    return null;
                }
            });
    }

    private bool IsMended(byte[] page, uint block) =>
        page.Length == checker.PageSize
        && PageHeader.Read(page).Lsn is var lsn && lsn >= checker.StartLsn && lsn < stop
        && (checker with { StartLsn = new Lsn(ulong.MaxValue) }).Check(page, block) is null;
}
