using System.Globalization;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>
/// Proves that a base backup restores: restores it into a scratch directory, boots a real server of its version on it, waits until it is
/// consistent, reads every table, runs pg_amcheck and the given row checks, stops it, and checks all page checksums. Leaves nothing behind,
/// also when cancelled or killed. The server cannot be reached from outside and cannot act: see <see cref="IsolatedConfiguration"/>.
/// </summary>
public sealed class PostgresBootCheck(BackupRepository repository, TimeProvider time)
{
    /// <summary>Room beside the copy for WAL and what recovery writes.</summary>
    private const long SpareBytes = 256 << 20;

    /// <summary>What the server says. A copy that does not restore or start is a report that did not pass, not an exception.</summary>
    /// <exception cref="SnapshotNotFoundException">No such snapshot.</exception>
    /// <exception cref="RestoreRefusedException">The check cannot be made here: no server programs, or no room.</exception>
    public async ValueTask<BootCheckReport> RunAsync(
        PostgresBootCheckOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var restore = new PostgresRestore(repository, time);
        var parent = options.ScratchParent ?? Environment.GetEnvironmentVariable("FBACKUP_SCRATCH") ?? Path.TrimEndingDirectorySeparator(Path.GetTempPath());
        var request = new PostgresRestoreOptions(Path.Combine(parent, "fbackup-verify", "data"))
        {
            Component = options.Component,
            SnapshotId = (await repository.GetSnapshotAsync(options.SnapshotId, options.Component, cancellationToken).ConfigureAwait(false)).Id,
            Goal = options.Goal,
            Parallelism = options.Parallelism,
            DropOtherSettings = true,
        };
        var details = PostgresBackupDetails.FromJson((await repository.GetSnapshotAsync(request.SnapshotId, options.Component, cancellationToken).ConfigureAwait(false)).Details);
        var major = details.ServerVersion / 10000;
        var binaries = PostgresBinaries.Find(major, options.BinaryDirectories) ?? throw new RestoreRefusedException(
            $"No server programs of PostgreSQL {major} were found; install package postgresql-{major}, or name their directory in {PostgresBinaries.Variable}.");

        var user = await FindOwnerAsync(request.SnapshotId, options.Component, cancellationToken).ConfigureAwait(false);
        var scratch = await ScratchDirectory.CreateAsync(user.User, parent, "fbackup-verify", cancellationToken).ConfigureAwait(false);
        await using (scratch.ConfigureAwait(false))
        {
            request = request with
            {
                TargetDirectory = Path.Combine(scratch.Path, "data"),
                TablespaceMappings =
                [
                    .. details.Tablespaces.Where(static t => Path.IsPathRooted(t.Location)).Select(t => new TablespaceMapping(
                        t.Oid.ToString(CultureInfo.InvariantCulture),
                        Path.Combine(scratch.Path, string.Create(CultureInfo.InvariantCulture, $"tablespace-{t.Oid}")))),
                ],
            };
            var run = new BootCheckRun(restore, options, request, details, user.User, binaries, scratch.Path, time)
            {
                Files = new DataDirectoryFiles(scratch.Path, 0b111_000_000, user.Id, user.Group),
                RequireRoom = plan => RequireRoom(parent, plan),
            };
            return await run.RunAsync(progress, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The user that owns the data directory in the backup: the server must run as the owner of its files.</summary>
    private async ValueTask<(ServerUser User, uint Id, uint Group)> FindOwnerAsync(string snapshotId, string component, CancellationToken cancellationToken)
    {
        if (!Accounts.IsRoot) return (ServerUser.Current, Accounts.CurrentUser, Accounts.CurrentGroup);
        var snapshot = await repository.GetSnapshotAsync(snapshotId, component, cancellationToken).ConfigureAwait(false);
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            if (!entry.Path.Span.SequenceEqual("pgdata"u8) && !entry.Path.Span.SequenceEqual("pgdata/PG_VERSION"u8)) continue;
            if (entry.UserId == 0) break;
            return (ServerUser.Numbered(entry.UserId, entry.GroupId), entry.UserId, entry.GroupId);
        }

        throw new RestoreRefusedException(
            $"{snapshotId} does not tell which user owns the data directory, and PostgreSQL does not run as root; verify as another user.");
    }

    private static void RequireRoom(string parent, PostgresRestorePlan plan)
    {
        if (PathCalls.OpenDirectory(ByteName.Parse(parent), out var directory) != PosixError.None) return;
        using (directory)
        {
            if (FileCalls.FreeSpace(directory!, out var free) != PosixError.None) return;
            var needed = plan.Bytes + plan.WalBytes + SpareBytes;
            if (free < needed)
                throw new RestoreRefusedException(
                    $"{parent} has {free >> 20} MiB free and the restored copy needs {needed >> 20} MiB; name another directory in FBACKUP_SCRATCH.");
        }
    }
}
