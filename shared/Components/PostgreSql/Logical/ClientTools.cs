using System.Diagnostics;
using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Verification;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>PostgreSQL's own client programs (pg_dump, pg_dumpall, pg_restore, psql), at least as new as the server.</summary>
internal sealed class ClientTools
{
    private readonly string _directory;
    private readonly NpgsqlConnectionStringBuilder _connection;

    private ClientTools(string directory, NpgsqlConnectionStringBuilder connection) => (_directory, _connection) = (directory, connection);

    /// <param name="major">The server's version: 13 to 17.</param>
    /// <param name="connection">As whom they connect.</param>
    /// <param name="directories">Looked at first.</param>
    /// <exception cref="PostgresBackupException">They are not installed.</exception>
    public static ClientTools Find(int major, NpgsqlConnectionStringBuilder connection, IEnumerable<string> directories)
    {
        // What a server's own packages bring, or a newer version's.
        var usual = Enumerable.Range(major, 20 - major).SelectMany(v => new[] { $"/usr/lib/postgresql/{v}/bin", $"/usr/pgsql-{v}/bin" });
        foreach (var directory in directories.Concat((Environment.GetEnvironmentVariable(PostgresBinaries.Variable) ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
            .Concat(usual).Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)))
            if (File.Exists(Path.Combine(directory, "pg_dump")) && VersionOf(directory) >= major) return new ClientTools(directory, connection);
        throw new PostgresBackupException(
            $"A logical backup needs pg_dump of PostgreSQL {major} or later on this machine; install the package postgresql-client-{major}, or name its folder with {PostgresBinaries.Variable}.");
    }

    /// <summary>Starts a program with its streams redirected; the password goes by its environment.</summary>
    public Process Start(string program, string? database, params IEnumerable<string> arguments)
    {
        List<string> all = [.. arguments, "--no-password", "-h", _connection.Host ?? "localhost", "-p", _connection.Port.ToString(CultureInfo.InvariantCulture)];
        if (_connection.Username is { } user) all.AddRange(["-U", user]);
        if (database is not null) all.AddRange([program == "pg_dumpall" ? "-l" : "-d", database]);
        var start = ServerUser.Current.Command(Path.Combine(_directory, program), all);
        if (_connection.Password is { Length: > 0 } password) start.Environment["PGPASSWORD"] = password;
        if (Mode(_connection.SslMode) is { } mode) start.Environment["PGSSLMODE"] = mode;
        if (_connection.RootCertificate is { } root) start.Environment["PGSSLROOTCERT"] = root;
        start.Environment["PGAPPNAME"] = "fbackup";
        start.Environment["PGOPTIONS"] = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0";
        start.Environment["PGCLIENTENCODING"] = "UTF8";
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="database">To connect to.</param>
    /// <param name="take">Reads what it prints.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <param name="arguments">Without those of the connection.</param>
    /// <returns>Exit code, and what it wrote to stderr.</returns>
    public async ValueTask<(int ExitCode, string Errors)> RunAsync(
        string program, string? database, Func<Stream, ValueTask> take, CancellationToken cancellationToken, params IEnumerable<string> arguments)
    {
        using var process = Start(program, database, arguments);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await take(process.StandardOutput.BaseStream).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return (process.ExitCode, await errors.ConfigureAwait(false));
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>The same of a program that needs no server.</summary>
    public async ValueTask<(int ExitCode, string Errors)> RunLocallyAsync(
        string program, Func<Stream, ValueTask> take, CancellationToken cancellationToken, params IEnumerable<string> arguments)
    {
        var start = ServerUser.Current.Command(Path.Combine(_directory, program), arguments);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await take(process.StandardOutput.BaseStream).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return (process.ExitCode, await errors.ConfigureAwait(false));
    }

    /// <summary>The first line that says what went wrong, for people.</summary>
    public static string FirstError(string errors) =>
        errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(l => l.Contains("error", StringComparison.OrdinalIgnoreCase))?.Trim().TrimEnd('.')
        ?? errors.Split('\n')[0].Trim().TrimEnd('.');

    private static string? Mode(SslMode mode) => mode switch
    {
        SslMode.Disable => "disable",
        SslMode.Allow => "allow",
        SslMode.Require => "require",
        SslMode.VerifyCA => "verify-ca",
        SslMode.VerifyFull => "verify-full",
        _ => null,
    };

    private static int VersionOf(string directory)
    {
        var start = ServerUser.Current.Command(Path.Combine(directory, "pg_dump"), "--version");
        start.RedirectStandardOutput = true;
        using var process = Process.Start(start);
        var line = process!.StandardOutput.ReadLine() ?? "";
        process.WaitForExit();
        // pg_dump (PostgreSQL) 15.18 (Debian …)
        var text = line[(line.IndexOf(')') + 1)..].TrimStart();
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(digits < 0 ? text : text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;
    }
}
