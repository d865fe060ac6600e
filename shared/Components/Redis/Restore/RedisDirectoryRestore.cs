using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>Restores into a folder that a server starts from: <c>dump.rdb</c>, complete or not there.</summary>
public sealed class RedisDirectoryRestore(BackupRepository repository, TimeProvider time)
{
    public const string FileName = "dump.rdb";

    /// <param name="snapshot">What to restore.</param>
    /// <param name="folder">Absolute; made if it is not there.</param>
    /// <param name="selection">Which keys.</param>
    /// <param name="overwrite">A <c>dump.rdb</c> that is there may be replaced.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops; nothing is there then.</param>
    /// <exception cref="RestoreRefusedException">The folder is in use.</exception>
    public async ValueTask<RedisRestoreReport> RunAsync(
        Snapshot snapshot, string folder, RedisSelection selection, bool overwrite, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        Check(folder, overwrite);
        var reader = await RedisSnapshotReader.OpenAsync(repository, snapshot, cancellationToken).ConfigureAwait(false);
        Directory.CreateDirectory(folder);
        var beside = Path.Combine(folder, $".{FileName}.{Guid.NewGuid():N}");
        try
        {
            RedisRestoreReport report;
            var file = new FileStream(beside, new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            await using (file.ConfigureAwait(false))
            {
                report = await WriteAsync(reader, file, selection, progress, cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            GiveToOwner(folder, beside);
            File.Move(beside, Path.Combine(folder, FileName), overwrite: true);
            return report;
        }
        finally
        {
            File.Delete(beside);
        }
    }

    /// <exception cref="RestoreRefusedException">The folder is in use.</exception>
    public static void Check(string folder, bool overwrite)
    {
        if (File.Exists(folder)) throw new RestoreRefusedException($"{folder} is a file; name a folder.");
        if (!Directory.Exists(folder)) return;
        // A server that finds an append-only file does not look at dump.rdb.
        if (Directory.EnumerateFileSystemEntries(folder, "append*").FirstOrDefault() is { } log)
            throw new RestoreRefusedException($"{log} is there, and a server with appendonly would start from it instead of dump.rdb; move it away, or restore into another folder.");
        if (!overwrite && Directory.EnumerateFileSystemEntries(folder).FirstOrDefault() is { } first)
            throw new RestoreRefusedException($"{folder} is not empty ({Path.GetFileName(first)}); restore into another folder, or with --overwrite.");
    }

    private async ValueTask<RedisRestoreReport> WriteAsync(
        RedisSnapshotReader reader, Stream file, RedisSelection selection, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        using var writer = new RdbWriter(file);
        var details = reader.Details;
        writer.Begin(Math.Max(details.RdbVersion, 9), details.IsValkey);
        var functions = 0;
        await foreach (var library in reader.ReadFunctionsAsync(cancellationToken).ConfigureAwait(false))
        {
            await writer.FunctionAsync(library, cancellationToken).ConfigureAwait(false);
            functions++;
        }

        var (keys, bytes, expired, expiring) = (new SortedDictionary<int, long>(), 0L, 0L, 0L);
        var meter = new ProgressMeter(progress, time, details.Keys.Values.Sum(), details.ValueBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[256 * 1024];
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await foreach (var (record, large) in reader.ReadAsync(selection.IsAll ? hash.GetHashAndReset : null, cancellationToken).ConfigureAwait(false))
        {
            if (!selection.Includes(record)) continue;
            var isExpired = record.ExpiresAt >= 0 && record.ExpiresAt <= now;
            if (isExpired) expired++;
            else await writer.KeyAsync(record with { Key = selection.NameOf(record) }, cancellationToken).ConfigureAwait(false);
            if (large is null)
            {
                if (!isExpired) await writer.WriteAsync(record.Value, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                var stream = reader.OpenValue(large);
                await using (stream.ConfigureAwait(false))
                    while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
                    {
                        hash.AppendData(buffer, 0, read);
                        if (!isExpired) await writer.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                    }
            }

            if (isExpired) continue;
            keys[record.Database] = keys.GetValueOrDefault(record.Database) + 1;
            if (record.ExpiresAt >= 0) expiring++;
            bytes += record.ValueLength;
            meter.AddBytes(record.ValueLength);
            meter.AddFile();
        }

        await writer.EndAsync(cancellationToken).ConfigureAwait(false);
        return new RedisRestoreReport { Keys = keys, Bytes = bytes, Expired = expired, Expiring = expiring, Functions = functions };
    }

    /// <summary>Restored by root, the file must still be the server's to read.</summary>
    private static void GiveToOwner(string folder, string file)
    {
        if (!Environment.IsPrivilegedProcess || PathCalls.OpenDirectory(Encoding.UTF8.GetBytes(folder), out var directory) != PosixError.None) return;
        using (directory)
            if (FileCalls.Status(directory!, out var status) == PosixError.None)
                _ = DirectoryCalls.SetOwner(directory!, Encoding.UTF8.GetBytes(Path.GetFileName(file)), status.UserId, status.GroupId);
    }
}
