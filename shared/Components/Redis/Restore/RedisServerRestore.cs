using System.Security.Cryptography;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Layers;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Components.Redis.Sources;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>How to restore into a server.</summary>
/// <param name="Address">The server.</param>
public sealed record RedisServerRestoreOptions(RedisAddress Address)
{
    public RedisSelection Selection { get; init; } = new();

    /// <summary>Keys that are there may be replaced; others stay.</summary>
    public bool Replace { get; init; }

    /// <summary>Keys that the recovery point does not have are removed; a person has approved it.</summary>
    public bool Exact { get; init; }

    /// <summary>Connections.</summary>
    public int Parallelism { get; init; } = 2;
}

/// <summary>Restores into a server that runs, key by key.</summary>
public sealed class RedisServerRestore(BackupRepository repository, TimeProvider time)
{
    private const int MaximumListed = 20;

    /// <summary>A server's limit for one word of a command, unless it is changed (<c>proto-max-bulk-len</c>).</summary>
    private const long MaximumWord = 512L << 20;

    private readonly Lock _gate = new();
    private readonly List<string> _failures = [];
    private readonly SortedDictionary<int, long> _keys = [];
    private readonly List<ulong> _restored = [];
    private long _failed, _expired, _bytes;

    /// <exception cref="RestoreRefusedException">The server holds keys.</exception>
    /// <exception cref="RedisException">It refused, or is gone: what was restored stays, and the same restore with Replace goes on.</exception>
    public async ValueTask<RedisRestoreReport> RunAsync(
        Snapshot snapshot, RedisServerRestoreOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var reader = await RedisSnapshotReader.OpenAsync(repository, snapshot, cancellationToken).ConfigureAwait(false);
        var warnings = new List<string>();
        var control = await RedisConnection.OpenAsync(options.Address, cancellationToken).ConfigureAwait(false);
        await using (control.ConfigureAwait(false))
        {
            var facts = await RedisServerFacts.AskAsync(control, cancellationToken).ConfigureAwait(false);
            Check(reader.Details, facts, options);
            var functions = await RestoreFunctionsAsync(reader, control, options, warnings, cancellationToken).ConfigureAwait(false);
            var limit = await RaiseLimitAsync(reader, control, cancellationToken).ConfigureAwait(false);
            try
            {
                await RestoreKeysAsync(reader, facts, options, new ProgressMeter(progress, time, reader.Details.Keys.Values.Sum(), reader.Details.ValueBytes), cancellationToken)
                    .ConfigureAwait(false);
            }
            finally
            {
                if (limit is not null) await control.CallAsync(CancellationToken.None, "CONFIG", "SET", "proto-max-bulk-len", limit).ConfigureAwait(false);
            }

            var deleted = options.Exact ? await DeleteOthersAsync(control, facts, options.Selection, cancellationToken).ConfigureAwait(false) : 0;
            return new RedisRestoreReport
            {
                Keys = _keys, Bytes = _bytes, Expired = _expired, Deleted = deleted, Failed = _failed, Failures = _failures, Functions = functions, Warnings = warnings,
            };
        }
    }

    /// <exception cref="RestoreRefusedException">It cannot be restored there.</exception>
    public static void Check(RedisBackupDetails details, RedisServerFacts facts, RedisServerRestoreOptions options)
    {
        if (facts.IsReplica) throw new RestoreRefusedException($"Redis at {options.Address} is a replica, and its master would undo the restore; restore into the master.");
        if (facts.IsCluster && details.Keys.Any(k => k.Key != "0"))
            throw new RestoreRefusedException("A cluster has database 0 only, and the recovery point has others; choose it with --db 0.");
        // Keys are listed and removed on the node that was asked only: others would keep theirs, and nobody would know.
        if (facts.IsCluster && options.Exact)
            throw new RestoreRefusedException("In a cluster --exact is not possible; restore into an empty one, or with --overwrite, which keeps other keys.");
        if (facts.IsCluster && !options.Replace)
            throw new RestoreRefusedException("Whether a cluster is empty is not known from one of its nodes; restore with --overwrite, which keeps other keys.");
        if (options.Replace || options.Exact) return;
        var held = facts.Databases.Where(d => options.Selection.Includes(d.Key)).Sum(d => d.Value);
        if (held > 0)
            throw new RestoreRefusedException(
                $"Redis at {options.Address} holds {held} keys; restore with --overwrite to replace those that the recovery point has, with --exact to remove all others too, or into another server.");
    }

    private static async ValueTask<int> RestoreFunctionsAsync(
        RedisSnapshotReader reader, RedisConnection control, RedisServerRestoreOptions options, List<string> warnings, CancellationToken cancellationToken)
    {
        var count = 0;
        if (!options.Selection.IsAll) return 0;
        await foreach (var library in reader.ReadFunctionsAsync(cancellationToken).ConfigureAwait(false))
        {
            RedisArgument[] command = options.Replace || options.Exact ? ["FUNCTION", "LOAD", "REPLACE", library] : ["FUNCTION", "LOAD", library];
            await control.SendAsync(command, cancellationToken).ConfigureAwait(false);
            await control.FlushAsync(cancellationToken).ConfigureAwait(false);
            var reply = await control.TryReceiveAsync(cancellationToken).ConfigureAwait(false);
            if (reply.Error is { } error) warnings.Add($"A library of functions was not restored: {RedisException.Of(control.Server, error).Message}");
            else count++;
        }

        return count;
    }

    /// <summary>A value that is longer, serialized, than a server takes in one word: the limit is raised for as long as the restore takes.</summary>
    /// <returns>What it was; null: nothing was changed.</returns>
    private static async ValueTask<string?> RaiseLimitAsync(RedisSnapshotReader reader, RedisConnection control, CancellationToken cancellationToken)
    {
        if (reader.LargestValue + 16 <= MaximumWord) return null;
        await control.SendAsync(new RedisArgument[] { "CONFIG", "GET", "proto-max-bulk-len" }, cancellationToken).ConfigureAwait(false);
        await control.FlushAsync(cancellationToken).ConfigureAwait(false);
        var reply = await control.TryReceiveAsync(cancellationToken).ConfigureAwait(false);
        if (reply.Items is not [_, var now] || long.Parse(now.Text, System.Globalization.CultureInfo.InvariantCulture) >= reader.LargestValue + 16) return null;
        await control.SendAsync(new RedisArgument[] { "CONFIG", "SET", "proto-max-bulk-len", reader.LargestValue + 1024 }, cancellationToken).ConfigureAwait(false);
        await control.FlushAsync(cancellationToken).ConfigureAwait(false);
        return (await control.TryReceiveAsync(cancellationToken).ConfigureAwait(false)).Error is null ? now.Text : null;
    }

    private async ValueTask RestoreKeysAsync(
        RedisSnapshotReader reader, RedisServerFacts facts, RedisServerRestoreOptions options, ProgressMeter meter, CancellationToken cancellationToken)
    {
        var selection = options.Selection;
        await using var pipes = await RestorePipes.OpenAsync(options.Address, facts.IsCluster, options.Parallelism, Fail, cancellationToken).ConfigureAwait(false);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[256 * 1024];
        var version = Math.Max(1, reader.Details.RdbVersion);
        await foreach (var (record, large) in reader.ReadAsync(selection.IsAll ? hash.GetHashAndReset : null, cancellationToken).ConfigureAwait(false))
        {
            if (!selection.Includes(record)) continue;
            if (record.ExpiresAt >= 0 && record.ExpiresAt <= time.GetUtcNow().ToUnixTimeMilliseconds())
            {
                _expired++;
                if (large is not null) await CopyAsync(large, _ => default).ConfigureAwait(false); // its hash counts all the same
                continue;
            }

            var named = record with { Key = selection.NameOf(record) };
            if (options.Exact) _restored.Add(KeyHash.Of(named.Database, named.Key.Span));
            await pipes.For(named.Key.Span).RestoreAsync(
                named, options.Replace || options.Exact, version, large is null ? null : take => CopyAsync(large, take), cancellationToken).ConfigureAwait(false);
            _keys[record.Database] = _keys.GetValueOrDefault(record.Database) + 1;
            _bytes += record.ValueLength;
            meter.AddBytes(record.ValueLength);
            meter.AddFile();
        }

        await pipes.CompleteAsync(cancellationToken).ConfigureAwait(false);

        async ValueTask CopyAsync(ContentRef content, Func<ReadOnlyMemory<byte>, ValueTask> take)
        {
            var stream = reader.OpenValue(content);
            await using (stream.ConfigureAwait(false))
                while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
                {
                    hash.AppendData(buffer, 0, read);
                    await take(buffer.AsMemory(0, read)).ConfigureAwait(false);
                }
        }
    }

    private void Fail(int database, ReadOnlyMemory<byte> key, string error)
    {
        lock (_gate)
        {
            _failed++;
            if (_failures.Count >= MaximumListed) return;
            var why = error.Contains("Bad data format", StringComparison.OrdinalIgnoreCase) || error.Contains("DUMP payload version", StringComparison.OrdinalIgnoreCase)
                ? "the server is older than the one that the value is from, and does not know its form; restore into a newer one"
                : error.StartsWith("BUSYKEY", StringComparison.Ordinal) ? "it is there already; restore with --overwrite" : error.TrimEnd('.');
            _failures.Add($"The key {RestorePipe.Shown(key.Span)} of database {database} was not restored: {why}.");
        }
    }

    /// <summary>Removes the keys that were not restored.</summary>
    private async ValueTask<long> DeleteOthersAsync(RedisConnection control, RedisServerFacts facts, RedisSelection selection, CancellationToken cancellationToken)
    {
        var deleted = 0L;
        _restored.Sort();
        foreach (var database in facts.Databases.Keys.Where(selection.Includes))
        {
            if (!facts.IsCluster) await control.CallAsync(cancellationToken, "SELECT", (long)database).ConfigureAwait(false);
            ReadOnlyMemory<byte> cursor = "0"u8.ToArray();
            do
            {
                var page = await control.CallAsync(cancellationToken, "SCAN", cursor, "COUNT", 1000L).ConfigureAwait(false);
                if (page.Items is not [var next, { Kind: RedisReplyKind.Array } keys]) throw RedisException.Nonsense(control.Server, "no page of keys");
                cursor = next.Bytes;
                foreach (var key in keys.Items)
                {
                    if (!selection.Match.IsEmpty && !RedisGlob.IsMatch(selection.Match.Span, key.Bytes.Span)) continue;
                    if (_restored.BinarySearch(KeyHash.Of(database, key.Bytes.Span)) >= 0) continue;
                    deleted += (await control.CallAsync(cancellationToken, "UNLINK", key.Bytes).ConfigureAwait(false)).Integer;
                }
            }
            while (!cursor.Span.SequenceEqual("0"u8));
        }

        return deleted;
    }
}
