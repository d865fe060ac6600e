using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;
using FunctionsBackup.Storage;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>One boot check, step by step. A step that fails ends the run, except that all checks of a running server are made.</summary>
internal sealed class BootCheckRun(
    PostgresRestore restore,
    PostgresBootCheckOptions options,
    PostgresRestoreOptions request,
    PostgresBackupDetails details,
    ServerUser user,
    string binaries,
    string scratch,
    TimeProvider time)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly List<BootCheckStep> _steps = [];
    private readonly ServerChecks _checks = new(scratch, options.Superuser);
    private readonly long _started = time.GetTimestamp();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly int _major = details.ServerVersion / 10000;
    private readonly string _log = Path.Combine(scratch, "server.log");
    private string? _version;
    private TimeSpan? _timeToService;
    private IReadOnlyList<string> _warnings = [];
    private long _bytes;
    private long _rows;
    private int _databases;
    private int _tables;

    public required DataDirectoryFiles Files { get; init; }

    public required Action<PostgresRestorePlan> RequireRoom { get; init; }

    public async ValueTask<BootCheckReport> RunAsync(IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        if (await StepAsync("restore", () => RestoreAsync(progress, cancellationToken)).ConfigureAwait(false))
        {
            SupervisedProcess? server = null;
            try
            {
                if (await StepAsync("recovery", async () =>
                {
                    server = await StartAsync(cancellationToken).ConfigureAwait(false);
                    return await WaitAsync(server, cancellationToken).ConfigureAwait(false);
                }).ConfigureAwait(false))
                {
                    await CheckAsync(server!, cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                if (server is not null) await server.DisposeAsync().ConfigureAwait(false);
            }
        }

        return new BootCheckReport
        {
            SnapshotId = request.SnapshotId!,
            StartedAt = _startedAt,
            Duration = time.GetElapsedTime(_started),
            ServerVersion = _version,
            TimeToService = _timeToService,
            RestoredBytes = _bytes,
            Databases = _databases,
            Tables = _tables,
            Rows = _rows,
            Warnings = _warnings,
            Steps = _steps,
            ServerLog = _steps.All(static step => step.Passed) ? null : IsolatedConfiguration.Tail(_log),
        };
    }

    private async ValueTask<(string Detail, IReadOnlyList<string> Findings)> RestoreAsync(IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var plan = await restore.PlanAsync(request, cancellationToken).ConfigureAwait(false);
        RequireRoom(plan);
        var report = await restore.RunAsync(request, progress, cancellationToken).ConfigureAwait(false);
        _bytes = report.Bytes;
        _warnings = report.Warnings;
        return ($"{report.Files} files, {report.Bytes} bytes, {report.WalBytes} bytes of WAL", []);
    }

    private async ValueTask<SupervisedProcess> StartAsync(CancellationToken cancellationToken)
    {
        var control = await ProgramRun.RunAsync(
            user.Command(Path.Combine(binaries, "pg_controldata"), "-D", request.TargetDirectory), cancellationToken).ConfigureAwait(false);
        var required = IsolatedConfiguration.ParseControlData(control.Output);
        var configuration = await IsolatedConfiguration.WriteAsync(
            Files, scratch, _major, required, options.PreloadLibraries, cancellationToken).ConfigureAwait(false);
        return await SupervisedProcess.StartAsync(
            user, Path.Combine(binaries, "postgres"), ["-D", request.TargetDirectory, "-c", $"config_file={configuration}"], _log, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Waits until recovery has ended: with hot_standby off, no session is let in before.</summary>
    private async ValueTask<(string Detail, IReadOnlyList<string> Findings)> WaitAsync(SupervisedProcess server, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.RecoveryTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            while (!server.HasExited)
            {
                try
                {
                    var rows = await _checks.ColumnAsync("template1", "show server_version", either.Token).ConfigureAwait(false);
                    _version = rows[0];
                    _timeToService = time.GetElapsedTime(_started);
                    return ($"PostgreSQL {_version} recovered to {options.Goal.Describe()}", []);
                }
                catch (NpgsqlException e) when (e is not PostgresException { SqlState: not PostgresErrorCodes.CannotConnectNow })
                {
                    await Task.Delay(PollInterval, time, either.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return ("recovery", [$"The server was not consistent after {options.RecoveryTimeout}; give it more time if its WAL is long."]);
        }

        return ("recovery", [$"The server ended during recovery (exit code {server.ExitCode}): {LastFatal()}"]);
    }

    private async ValueTask CheckAsync(SupervisedProcess server, CancellationToken cancellationToken)
    {
        await StepAsync("tables", () => CountAsync(cancellationToken)).ConfigureAwait(false);
        if (options.RowChecks.Count > 0) await StepAsync("rows", () => RowsAsync(cancellationToken)).ConfigureAwait(false);
        if (options.Amcheck)
        {
            await StepAsync("amcheck", async () => (
                "pg_amcheck --heapallindexed on all databases",
                await AmcheckRun.RunAsync(user, binaries, _major, scratch, options.Superuser, _checks, options.Parallelism, cancellationToken).ConfigureAwait(false)))
                .ConfigureAwait(false);
        }

        if (!await StepAsync("shutdown", () => StopAsync(server, cancellationToken)).ConfigureAwait(false) || !details.DataChecksums) return;
        await StepAsync("checksums", async () =>
        {
            var result = await ProgramRun.RunAsync(
                user.Command(Path.Combine(binaries, "pg_checksums"), "--check", "-D", request.TargetDirectory), cancellationToken).ConfigureAwait(false);
            return ("pg_checksums on every page", result.ExitCode == 0 ? [] : [.. result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(100)]);
        }).ConfigureAwait(false);
    }

    private async ValueTask<(string Detail, IReadOnlyList<string> Findings)> CountAsync(CancellationToken cancellationToken)
    {
        var findings = new List<string>();
        var databases = await _checks.ListDatabasesAsync(cancellationToken).ConfigureAwait(false);
        _databases = databases.Count;
        foreach (var database in databases)
        {
            var (tables, rows, wrong) = await _checks.CountAsync(database, cancellationToken).ConfigureAwait(false);
            (_tables, _rows) = (_tables + tables, _rows + rows);
            findings.AddRange(wrong);
        }

        findings.AddRange(await _checks.ChecksumFailuresAsync(cancellationToken).ConfigureAwait(false));
        return ($"{_rows} rows of {_tables} tables in {_databases} databases were read", findings);
    }

    private async ValueTask<(string Detail, IReadOnlyList<string> Findings)> RowsAsync(CancellationToken cancellationToken)
    {
        var findings = new List<string>();
        foreach (var check in options.RowChecks)
            if (await _checks.RunAsync(check, cancellationToken).ConfigureAwait(false) is { } wrong) findings.Add(wrong);
        return ($"{options.RowChecks.Count} row checks", findings);
    }

    private async ValueTask<(string Detail, IReadOnlyList<string> Findings)> StopAsync(SupervisedProcess server, CancellationToken cancellationToken)
    {
        var result = await ProgramRun.RunAsync(
            user.Command(Path.Combine(binaries, "pg_ctl"), "stop", "-w", "-m", "fast", "-D", request.TargetDirectory), cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) return ("pg_ctl stop", [result.Text]);
        await server.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return ("the server stopped cleanly", server.ExitCode == 0 ? [] : [$"The server ended with exit code {server.ExitCode}."]);
    }

    /// <summary>Runs a step and notes what came of it. What is wrong with the copy is a finding; what is wrong with us is thrown.</summary>
    private async ValueTask<bool> StepAsync(string name, Func<ValueTask<(string Detail, IReadOnlyList<string> Findings)>> step)
    {
        var begun = time.GetTimestamp();
        BootCheckStep done;
        try
        {
            var (detail, findings) = await step().ConfigureAwait(false);
            done = new BootCheckStep(name, findings.Count == 0, time.GetElapsedTime(begun), detail, findings);
        }
        catch (Exception e) when (e is not RestoreRefusedException
            and (DamageException or WalFormatException or UnreachableTargetException or StoreException or NpgsqlException or IOException))
        {
            done = new BootCheckStep(name, false, time.GetElapsedTime(begun), name, [e.Message]);
        }

        _steps.Add(done);
        return done.Passed;
    }

    private string LastFatal() =>
        IsolatedConfiguration.Tail(_log).Split('\n').LastOrDefault(static line =>
            line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal)) ?? "its log does not say why.";
}
