using System.Globalization;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>Checks tables and B-tree indexes for contradictions, with each heap tuple looked up in its indexes.</summary>
internal static class AmcheckRun
{
    private const int MostFindings = 100;

    /// <summary>What is wrong, a line each; empty if nothing is.</summary>
    /// <exception cref="IOException">The check could not be made.</exception>
    public static async ValueTask<IReadOnlyList<string>> RunAsync(
        ServerUser user, string binaries, int major, string socketDirectory, string superuser, ServerChecks checks, int jobs, CancellationToken cancellationToken)
    {
        if (major < 14) return await WithSqlAsync(checks, cancellationToken).ConfigureAwait(false);
        var program = Path.Combine(binaries, "pg_amcheck");
        if (!File.Exists(program)) throw new IOException($"{program} is missing; install the client programs of PostgreSQL {major}, or verify without amcheck.");
        var start = user.Command(
            program, "--host", socketDirectory, "--port", "5432", "--username", superuser, "--no-password", "--maintenance-db=template1", "--all",
            "--install-missing", "--heapallindexed", "--jobs", jobs.ToString(CultureInfo.InvariantCulture));
        start.Environment["PGOPTIONS"] = IsolatedConfiguration.SessionOptions;
        var result = await ProgramRun.RunAsync(start, cancellationToken).ConfigureAwait(false);
        return result.ExitCode switch
        {
            0 => [],
            // 2: corruption was found; it is on standard output.
            2 when result.Output.Length > 0 => [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(MostFindings)],
            _ => throw new IOException($"pg_amcheck failed with exit code {result.ExitCode}: {result.Text}"),
        };
    }

    /// <summary>13 has the extension but not the program.</summary>
    private static async ValueTask<IReadOnlyList<string>> WithSqlAsync(ServerChecks checks, CancellationToken cancellationToken)
    {
        var findings = new List<string>();
        foreach (var database in await checks.ListDatabasesAsync(cancellationToken).ConfigureAwait(false))
        {
            await checks.ColumnAsync(database, "create extension if not exists amcheck schema public", cancellationToken).ConfigureAwait(false);
            var indexes = await checks.ColumnAsync(
                database,
                "select format('%I.%I', n.nspname, c.relname) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam "
                + "join pg_namespace n on n.oid = c.relnamespace where a.amname = 'btree' and c.relkind = 'i' and c.relpersistence = 'p' and i.indisvalid and i.indisready",
                cancellationToken).ConfigureAwait(false);
            foreach (var index in indexes)
            {
                try
                {
                    await checks.ColumnAsync(database, $"select public.bt_index_check('{index.Replace("'", "''", StringComparison.Ordinal)}', true)", cancellationToken)
                        .ConfigureAwait(false);
                }
                catch (PostgresException e)
                {
                    if (findings.Count < MostFindings) findings.Add($"{database}: {index}: {e.MessageText}");
                }
            }
        }

        return findings;
    }
}
