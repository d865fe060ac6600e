using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Components.Redis.Sources;
using FunctionsBackup.Repository;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.Redis.Journal;

/// <summary>
/// Follows a server as a replica does, and puts its stream into the journal every few seconds. Tells the server only what is in the repository.
/// Reconnects for ever, and goes on at the byte where it was; where the server cannot, it says so: then a snapshot is needed.
/// </summary>
/// <remarks>Memory: one buffer. The server counts it as a replica: WAIT and min-replicas-to-write do, too.</remarks>
public sealed class RedisFollower(RedisFollowerOptions options, BackupRepository repository, TimeProvider time)
{
    private static readonly TimeSpan LastSealLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AcknowledgeInterval = TimeSpan.FromSeconds(1);

    private readonly RedisJournal _journal = new(repository, options.Component);
    private volatile RedisFollowerStatus _status = new();

    public RedisFollowerStatus Status => _status;

    /// <summary>Is told of each change of <see cref="Status"/>; must not block.</summary>
    public event Action<RedisFollowerStatus>? StatusChanged;

    /// <summary>Follows until cancelled; what came by then is in the repository before it returns.</summary>
    /// <exception cref="RedisException">The server refuses this user.</exception>
    /// <exception cref="RepositoryException">The repository cannot be written or read.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var buffer = new JournalBuffer();
        var backoff = options.MinimumBackoff;
        while (!cancellationToken.IsCancellationRequested)
        {
            var received = buffer.Received;
            try
            {
                await RunSessionAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Update(_status with { IsStreaming = false });
            }
            catch (Exception e) when (IsPassing(e))
            {
                Update(_status with { IsStreaming = false, Failures = _status.Failures + 1, LastProblem = e.Message });
            }
            finally
            {
                await SealRestAsync(buffer).ConfigureAwait(false); // the server may be gone for good: what it sent must not wait for it
            }

            var doubled = TimeSpan.FromTicks(Math.Min(backoff.Ticks * 2, options.MaximumBackoff.Ticks));
            backoff = buffer.Received > received ? options.MinimumBackoff : doubled;
            await Task.Delay(backoff, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Update(_status with { IsStreaming = false });
    }

    private async Task RunSessionAsync(JournalBuffer buffer, CancellationToken cancellationToken)
    {
        if (buffer.HasNews) await SealAsync(buffer, cancellationToken).ConfigureAwait(false);
        var (id, offset) = await FindStartAsync(buffer, cancellationToken).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            var connection = await RedisConnection.OpenAsync(options.Address, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var answer = await FollowerSession.AskAsync(connection, id, offset, cancellationToken).ConfigureAwait(false);
                if (answer.Continues)
                {
                    Enter(buffer, id!, offset, answer.ReplicationId);
                    await StreamAsync(connection, buffer, cancellationToken).ConfigureAwait(false);
                    return;
                }

                if (attempt == 3)
                    throw new RedisException("Redis cannot go on with its stream where it has just begun; make repl-backlog-size larger.") { IsTransient = true };
                // All its data is not wanted: hanging up stops that, and the stream from there on can now be had.
                (id, offset) = (answer.ReplicationId, answer.Offset);
            }
        }
    }

    /// <summary>Where the stream can go on without all data being sent first; a null id: nowhere.</summary>
    private async ValueTask<(string? Id, long Offset)> FindStartAsync(JournalBuffer buffer, CancellationToken cancellationToken)
    {
        if (buffer.ReplicationId.Length == 0)
        {
            if (!repository.IsWriteOnly && await _journal.FindTailAsync(cancellationToken).ConfigureAwait(false) is { } tail) buffer.Begin(tail.ReplicationId, tail.Offset);
        }

        var connection = await RedisConnection.OpenAsync(options.Address, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            RedisServerFacts facts;
            try
            {
                facts = await RedisServerFacts.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            }
            catch (RedisException e) when (e.IsRefusal)
            {
                return buffer.ReplicationId.Length > 0 ? (buffer.ReplicationId, buffer.Received) : (null, 0); // then PSYNC itself says it
            }

            if (buffer.ReplicationId.Length > 0 && facts.CanContinue(buffer.ReplicationId, buffer.Received)) return (buffer.ReplicationId, buffer.Received);
            if (await FindSnapshotAsync(facts, cancellationToken).ConfigureAwait(false) is { } snapshot) return snapshot;
            return facts.ReplicationId is { } current && facts.CanContinue(current, facts.ReplicationOffset) ? (current, facts.ReplicationOffset) : (null, 0);
        }
    }

    /// <summary>The newest snapshot whose offset the server still remembers.</summary>
    private async ValueTask<(string? Id, long Offset)?> FindSnapshotAsync(RedisServerFacts facts, CancellationToken cancellationToken)
    {
        if (repository.IsWriteOnly) return null;
        (DateTimeOffset Time, string Id, long Offset)? best = null;
        await foreach (var snapshot in repository.ListSnapshotsAsync(options.Component, cancellationToken).ConfigureAwait(false))
            if (RedisBackupDetails.FromJson(snapshot.Details) is { ReplicationId: { } id } its && facts.CanContinue(id, its.ReplicationOffset)
                && !(its.Time <= best?.Time))
                best = (its.Time, id, its.ReplicationOffset);
        return best is { } found ? (found.Id, found.Offset) : null;
    }

    private void Enter(JournalBuffer buffer, string id, long offset, string? renamed)
    {
        if (buffer.ReplicationId != id || buffer.Received != offset)
        {
            if (buffer.ReplicationId.Length > 0)
                Update(_status with
                {
                    Gaps = _status.Gaps + 1,
                    LastProblem = $"Redis at {options.Address} can no longer send what followed offset {buffer.Received}; "
                        + "take a snapshot now, and make repl-backlog-size larger.",
                });
            buffer.Begin(id, offset);
        }

        if (renamed is not null && renamed != buffer.ReplicationId) buffer.Rename(renamed);
        Update(_status with { IsStreaming = true, ReplicationId = buffer.ReplicationId, Received = buffer.Received, Sealed = buffer.Sealed });
    }

    private async Task StreamAsync(RedisConnection connection, JournalBuffer buffer, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var bytes = new byte[64 << 10];
        Task<int>? pending = null;
        try
        {
            var (sealedAt, heardAt) = (time.GetTimestamp(), time.GetTimestamp());
            await AcknowledgeAsync(connection, buffer, cancellationToken).ConfigureAwait(false);
            var tick = Task.Delay(AcknowledgeInterval, time, stopping.Token);
            pending = connection.ReadAsync(bytes, stopping.Token).AsTask();
            while (true)
            {
                await Task.WhenAny(pending, tick).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (buffer.HasNews && time.GetElapsedTime(sealedAt) >= options.SealInterval)
                {
                    await SealAsync(buffer, cancellationToken).ConfigureAwait(false);
                    sealedAt = time.GetTimestamp();
                }

                if (tick.IsCompleted)
                {
                    await AcknowledgeAsync(connection, buffer, cancellationToken).ConfigureAwait(false);
                    if (!pending.IsCompleted && time.GetElapsedTime(heardAt) > options.Silence) throw RedisException.Lost(connection.Server);
                    tick = Task.Delay(AcknowledgeInterval, time, stopping.Token);
                }

                if (!pending.IsCompleted) continue;
                var read = await pending.ConfigureAwait(false);
                if (read == 0) throw RedisException.Lost(connection.Server);
                heardAt = time.GetTimestamp();
                if (!buffer.HasNews) sealedAt = heardAt; // nothing waits longer than the interval
                for (var at = 0; at < read;)
                {
                    at += buffer.Add(bytes.AsSpan(at, read - at), time.GetUtcNow());
                    if (buffer.IsFull) await SealAsync(buffer, cancellationToken).ConfigureAwait(false);
                }

                Update(_status with { Received = buffer.Received });
                pending = connection.ReadAsync(bytes, stopping.Token).AsTask();
            }
        }
        finally
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            if (pending is not null) await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Says what is in the repository: a server that waits for replicas may rely on it.</summary>
    private static async ValueTask AcknowledgeAsync(RedisConnection connection, JournalBuffer buffer, CancellationToken cancellationToken)
    {
        await connection.SendAsync(new RedisArgument[] { "REPLCONF", "ACK", buffer.Sealed }, cancellationToken).ConfigureAwait(false);
        await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SealAsync(JournalBuffer buffer, CancellationToken cancellationToken)
    {
        await _journal.AddAsync(buffer.Part, buffer.Header, buffer.News, cancellationToken).ConfigureAwait(false);
        buffer.MarkSealed();
        Update(_status with { Received = buffer.Received, Sealed = buffer.Sealed, SealedAt = time.GetUtcNow() });
    }

    private async ValueTask SealRestAsync(JournalBuffer buffer)
    {
        if (!buffer.HasNews) return;
        using var limit = new CancellationTokenSource(LastSealLimit, time);
        try
        {
            await SealAsync(buffer, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsPassing(e) || e is OperationCanceledException)
        {
            // They stay in the buffer, and are tried again before the next connection.
            Update(_status with { Failures = _status.Failures + 1, LastProblem = e.Message });
        }
    }

    /// <summary>Whether trying again later may help.</summary>
    private static bool IsPassing(Exception e) => e is RedisException { IsDenied: false } or IOException or StoreException or TimeoutException;

    private void Update(RedisFollowerStatus status)
    {
        _status = status;
        StatusChanged?.Invoke(status);
    }
}
