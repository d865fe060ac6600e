using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Restore;
using FunctionsBackup.Components.Redis.Sources;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Redis.Verification;

/// <summary>What a real server says of a restored copy.</summary>
/// <param name="Passed">Whether all is as it should be.</param>
/// <param name="Bytes">Restored.</param>
/// <param name="TimeToService">From the beginning until the server answered; null: none was started.</param>
/// <param name="Findings">One line each.</param>
public sealed record RedisBootReport(bool Passed, long Bytes, TimeSpan? TimeToService, IReadOnlyList<string> Findings);

/// <summary>
/// Restores into a scratch folder, every byte checked against the digest in the record; where a server is installed, starts it on the copy and counts its
/// keys. The server listens on loopback with a password that nobody else knows, and is gone at the end.
/// </summary>
public sealed class RedisBootCheck(BackupRepository repository, TimeProvider time)
{
    private static readonly string[] Names = ["redis-server", "valkey-server"];

    /// <summary>The servers to look for first, absolute; for those that are not on the PATH.</summary>
    public IReadOnlyList<string> Programs { get; init; } = [];

    /// <summary>How long loading may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(30);

    /// <exception cref="DamageException">It cannot be restored.</exception>
    public async ValueTask<RedisBootReport> RunAsync(Snapshot snapshot, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var scratch = Directory.CreateTempSubdirectory("fbackup-redis-").FullName;
        try
        {
            var report = await new RedisDirectoryRestore(repository, time).RunAsync(
                snapshot, Path.Combine(scratch, "data"), new RedisSelection(), overwrite: false, progress, cancellationToken).ConfigureAwait(false);
            var findings = new List<string> { $"{report.TotalKeys} keys, every byte checked against the digest in the record" };
            if (Find() is not { } program)
            {
                findings.Add("No redis-server or valkey-server is installed here, so that none was started on it.");
                return new RedisBootReport(true, report.Bytes, null, findings);
            }

            var (passed, finding) = await BootAsync(program, scratch, report, cancellationToken).ConfigureAwait(false);
            findings.Add(finding);
            return new RedisBootReport(passed, report.Bytes, passed ? time.GetElapsedTime(began) : null, findings);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private string? Find() => Programs.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(folder => Names.Select(name => Path.Combine(folder, name)))).FirstOrDefault(File.Exists);

    private async ValueTask<(bool Passed, string Finding)> BootAsync(
        string program, string scratch, RedisRestoreReport expected, CancellationToken cancellationToken)
    {
        var (port, password) = (FreePort(), RandomNumberGenerator.GetHexString(32));
        var configuration = Path.Combine(scratch, "redis.conf");
        var log = Path.Combine(scratch, "log");
        var databases = Math.Max(16, expected.Keys.Keys.DefaultIfEmpty().Max() + 1);
        await File.WriteAllTextAsync(
            configuration,
            string.Create(CultureInfo.InvariantCulture,
                $"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{Path.Combine(scratch, "data")}\"\nsave \"\"\nappendonly no\ndatabases {databases}\n"),
            cancellationToken).ConfigureAwait(false);
        File.SetUnixFileMode(configuration, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var process = await SupervisedProcess.StartAsync(ServerUser.Current, program, [configuration], log, cancellationToken).ConfigureAwait(false);
        await using (process.ConfigureAwait(false))
        {
            var began = time.GetTimestamp();
            while (!process.HasExited && time.GetElapsedTime(began) < Patience)
            {
                try
                {
                    var connection = await RedisConnection.OpenAsync(new RedisAddress("127.0.0.1", port, false) { Password = password }, cancellationToken)
                        .ConfigureAwait(false);
                    await using (connection.ConfigureAwait(false))
                        return Compare(await RedisServerFacts.AskAsync(connection, cancellationToken).ConfigureAwait(false), expected);
                }
                catch (RedisException e) when (e.IsTransient)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken).ConfigureAwait(false); // not yet, or loading
                }
            }
        }

        var last = File.Exists(log) ? (await File.ReadAllLinesAsync(log, cancellationToken).ConfigureAwait(false)).LastOrDefault() : null;
        return (false, $"{Path.GetFileName(program)} did not start on it: {last ?? "it said nothing"}");
    }

    /// <summary>Keys may have expired since they were written; no more may be missing than can expire.</summary>
    private static (bool, string) Compare(RedisServerFacts facts, RedisRestoreReport expected)
    {
        if (facts.IsLoading) throw new RedisException("It is loading.") { IsTransient = true };
        var held = facts.Databases.Values.Sum();
        var isRight = held <= expected.TotalKeys && held >= expected.TotalKeys - expected.Expiring;
        return (isRight, isRight ? $"a server ({facts.Version}) started on it and holds {held} keys"
            : $"a server ({facts.Version}) started on it and holds {held} keys instead of {expected.TotalKeys}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
