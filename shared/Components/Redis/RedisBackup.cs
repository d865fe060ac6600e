using System.Globalization;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Components.Redis.Sources;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Redis;

/// <summary>How a server is read.</summary>
public enum RedisBackupMode
{
    /// <summary>As a replica; key by key where that is refused.</summary>
    Auto,

    /// <summary>As a replica: all keys as of one moment.</summary>
    Psync,

    /// <summary>Key by key.</summary>
    Scan,
}

/// <summary>What to back up.</summary>
/// <param name="Address">The server.</param>
public sealed record RedisBackupOptions(RedisAddress Address)
{
    /// <summary>Name in the configuration.</summary>
    public string Component { get; init; } = "redis";

    public RedisBackupMode Mode { get; init; }

    /// <summary>Store all keys in a layer of their own, whatever earlier snapshots hold.</summary>
    public bool Full { get; init; }

    public int Parallelism { get; init; } = 2;

    /// <summary>The unit of a run that this is; null: a recovery point by itself.</summary>
    public RunUnit? Unit { get; init; }
}

/// <summary>Backs up a Redis or Valkey server.</summary>
public sealed class RedisBackup(BackupRepository repository, TimeProvider time)
{
    /// <summary>Takes one recovery point, or one unit of a run.</summary>
    /// <exception cref="RedisException">The server refused, or did not answer; nothing was committed.</exception>
    /// <exception cref="RdbFormatException">What it sent is damaged, or of a version that is not known.</exception>
    public async ValueTask<Snapshot> RunAsync(RedisBackupOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var warnings = new WarningList();
        try
        {
            return await RunAsync(options, warnings, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException e) when (!options.Full)
        {
            // What is wrong with an earlier snapshot must not keep the next one from being taken.
            warnings.Add($"The snapshot before this one could not be built on, so that all keys were stored anew: {e.Message}");
            return await RunAsync(options with { Full = true }, warnings, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<Snapshot> RunAsync(
        RedisBackupOptions options, WarningList warnings, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var startedAt = options.Unit?.Run.Token.StartedAt ?? time.GetUtcNow();
        var parent = options.Full || repository.IsWriteOnly ? null
            : await repository.FindParentAsync(options.Component, s => RedisBackupDetails.FromJson(s.Details) is not null, cancellationToken).ConfigureAwait(false);
        await using var session = repository.BeginSession(new SessionOptions(options.Component, options.Parallelism) { Unit = options.Unit });
        using var reading = new Reading(repository, session, new ProgressMeter(progress, time));
        var facts = await AskAsync(options, warnings, cancellationToken).ConfigureAwait(false);
        RedisBackupDetails details;
        try
        {
            details = options.Mode == RedisBackupMode.Scan
                ? await ScanAsync(options, facts, reading, "components.redis.mode is scan", warnings, cancellationToken).ConfigureAwait(false)
                : await ReplicateAsync(options, facts, reading, warnings, cancellationToken).ConfigureAwait(false);
        }
        catch (RedisException e) when (options.Mode == RedisBackupMode.Auto && e.IsRefusal)
        {
            var reason = $"the server does not let fbackup replicate ({e.Code})";
            details = await ScanAsync(options, facts, reading, reason, warnings, cancellationToken).ConfigureAwait(false);
        }

        session.CountRead(reading.Bytes);
        var layer = $"{startedAt.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}-{Guid.NewGuid().ToString("N")[..8]}";
        var (complete, usesParent) = await reading.Writer.CompleteAsync(parent, details, layer, cancellationToken).ConfigureAwait(false);
        var draft = new SnapshotDraft(
            usesParent ? "incremental" : "full", usesParent ? parent!.Id : null, startedAt, warnings.ToList(), complete.ToJson());
        return await session.CommitAsync(draft, cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<RedisServerFacts?> AskAsync(RedisBackupOptions options, WarningList warnings, CancellationToken cancellationToken)
    {
        var connection = await RedisConnection.OpenAsync(options.Address, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                var facts = await RedisServerFacts.AskAsync(connection, cancellationToken).ConfigureAwait(false);
                if (facts.IsReplica && !facts.HasMaster)
                    warnings.Add($"Redis at {options.Address} is a replica that has lost its master: what it holds may be old.");
                else if (facts.IsReplica && facts.MasterSilence > 30)
                    warnings.Add($"Redis at {options.Address} is a replica that has heard nothing of its master for {facts.MasterSilence} s: what it holds may be old.");
                return facts;
            }
            catch (RedisException e) when (e.IsRefusal)
            {
                return null; // INFO is not needed for replication
            }
        }
    }

    private async ValueTask<RedisBackupDetails> ReplicateAsync(
        RedisBackupOptions options, RedisServerFacts? facts, Reading reading, WarningList warnings, CancellationToken cancellationToken)
    {
        var connection = await RedisConnection.OpenAsync(options.Address, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var moment = time.GetUtcNow();
            var resync = await FullResync.BeginAsync(connection, () => moment = time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
            using var reader = new RdbReader(resync.ReadAsync, _ => reading.OpenAsync());
            reading.Expect(() => long.TryParse(reader.Fields.GetValueOrDefault("used-mem"), out var used) ? used : 0);
            while (await reader.NextAsync(cancellationToken).ConfigureAwait(false) is { } record)
                await reading.AddAsync(record, cancellationToken).ConfigureAwait(false);
            await resync.CheckEndAsync(bytes => reader.ReadBehindAsync(bytes, cancellationToken)).ConfigureAwait(false);
            if (!reader.HasChecksum)
                warnings.Add("The server writes no checksums (rdbchecksum no), so that the transfer could not be checked; switch them on.");
            if (reader.ModuleFields > 0)
                warnings.Add("Data of modules that belongs to no key is not kept; look at the documentation of the modules in use.");
            for (var i = 0; i < reader.Functions.Count; i++) await reading.Writer.AddFunctionAsync(i, reader.Functions[i], cancellationToken).ConfigureAwait(false);
            return new RedisBackupDetails
            {
                Mode = "psync",
                ServerVersion = facts?.Version ?? reader.Fields.GetValueOrDefault("redis-ver"),
                RdbVersion = reader.Version,
                IsValkey = reader.IsValkey,
                ReplicationId = resync.ReplicationId,
                ReplicationOffset = resync.Offset,
                Time = moment,
                ReadUntil = time.GetUtcNow(),
                Functions = reader.Functions.Count,
                ContentDigest = "",
            };
        }
    }

    private async ValueTask<RedisBackupDetails> ScanAsync(
        RedisBackupOptions options, RedisServerFacts? facts, Reading reading, string reason, WarningList warnings, CancellationToken cancellationToken)
    {
        if (facts is null)
            throw new RedisException("Redis lets fbackup neither replicate nor run INFO; give the user +psync +replconf, or +info +scan +dump +pttl +time +select.") { Code = "NOPERM" };
        var moment = time.GetUtcNow();
        var connection = await RedisConnection.OpenAsync(options.Address, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var scan = new KeyScan(connection);
            reading.Expect(() => facts.UsedMemory);
            var functions = await scan.ReadFunctionsAsync(cancellationToken).ConfigureAwait(false);
            await scan.RunAsync(facts, reading.AddWholeAsync, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < functions.Count; i++) await reading.Writer.AddFunctionAsync(i, functions[i], cancellationToken).ConfigureAwait(false);
            warnings.Add($"This is no point in time, since {reason}: keys were read one after the other while the server went on.");
            return new RedisBackupDetails
            {
                Mode = "scan",
                NoPointInTime = reason,
                ServerVersion = facts.Version,
                RdbVersion = scan.RdbVersion,
                Time = moment,
                ReadUntil = time.GetUtcNow(),
                Functions = functions.Count,
                ContentDigest = "",
            };
        }
    }

    /// <summary>Passes on what is read; how much will come is known only when the first key does.</summary>
    private sealed class Reading(BackupRepository repository, BackupSession session, ProgressMeter meter) : IDisposable
    {
        private Func<long> _expected = static () => 0;
        private SnapshotWriter? _writer;

        public long Bytes { get; private set; }

        public SnapshotWriter Writer => _writer ??= new SnapshotWriter(repository, session, _expected());

        public void Expect(Func<long> bytes) => _expected = bytes;

        public ValueTask<IRdbValueSink> OpenAsync() => Writer.OpenLargeAsync();

        public ValueTask AddAsync(RdbRecord record, CancellationToken cancellationToken)
        {
            var bytes = record.Key.Length + record.ValueLength;
            Bytes += bytes;
            meter.AddBytes(bytes);
            meter.AddFile();
            return Writer.AddAsync(record, cancellationToken);
        }

        /// <summary>The same of a record whose value is in memory, however large.</summary>
        public async ValueTask AddWholeAsync(RdbRecord record, CancellationToken cancellationToken)
        {
            if (record.IsLarge)
            {
                var sink = await OpenAsync().ConfigureAwait(false);
                await sink.WriteAsync(record.Value, cancellationToken).ConfigureAwait(false);
            }

            await AddAsync(record, cancellationToken).ConfigureAwait(false);
        }

        public void Dispose() => _writer?.Dispose();
    }
}
