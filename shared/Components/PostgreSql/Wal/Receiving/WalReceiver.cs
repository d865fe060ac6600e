using FunctionsBackup.Components.PostgreSql.Protocol;
using FunctionsBackup.Components.PostgreSql.Wal.Archiving;
using FunctionsBackup.Repository;
using FunctionsBackup.Storage;
using Npgsql;

namespace FunctionsBackup.Components.PostgreSql.Wal.Receiving;

/// <summary>
/// Streams a server's WAL from a physical replication slot into the archive: complete segments, and every few seconds the part received
/// since, so that the last seconds survive the loss of the server. Position reports follow durability: the server keeps what the archive
/// has not. Reconnects for ever; follows timeline switches.
/// </summary>
/// <remarks>
/// Memory: one segment. One receiver per slot; the server refuses a second one. "Written" as the server sees it runs ahead of the archive:
/// with synchronous_standby_names use synchronous_commit = on, not remote_write.
/// </remarks>
public sealed class WalReceiver(WalReceiverOptions options, WalArchiveOpener open, TimeProvider time)
{
    private static readonly TimeSpan LastSealLimit = TimeSpan.FromSeconds(30);
    private volatile WalReceiverStatus _status = new();
    private WalArchive? _archive;
    private SegmentBuffer? _buffer;

    public WalReceiverStatus Status => _status;

    /// <summary>Is told of each change of <see cref="Status"/>; must not block.</summary>
    public event Action<WalReceiverStatus>? StatusChanged;

    /// <summary>Receives until cancelled; what was received by then is archived before it returns.</summary>
    /// <exception cref="RepositoryException">The archive has other WAL under the same names, or the server is another cluster.</exception>
    /// <exception cref="PostgresException">The server refuses this user, or has no such slot and none may be created.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!IsSlotName(options.SlotName))
            throw new WalFormatException($"'{options.SlotName}' is no slot name; use 1 to 63 lower-case letters, digits and underscores.");
        var backoff = options.MinimumBackoff;
        while (true)
        {
            var received = _status.Received;
            try
            {
                await RunSessionAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
            }
            catch (Exception e) when (IsPassing(e))
            {
                Update(_status with { IsStreaming = false, Failures = _status.Failures + 1, LastProblem = e.Message });
            }

            // The server may be gone for good: what it sent must not wait for it.
            await SealRestAsync(cancellationToken);
            if (cancellationToken.IsCancellationRequested) break;
            var doubled = TimeSpan.FromTicks(Math.Min(backoff.Ticks * 2, options.MaximumBackoff.Ticks));
            backoff = _status.Received > received ? options.MinimumBackoff : doubled;
            try
            {
                await Task.Delay(backoff, time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        Update(_status with { IsStreaming = false });
    }

    private async Task RunSessionAsync(CancellationToken cancellationToken)
    {
        await using var session = await ReplicationSession.OpenAsync(options, cancellationToken);
        _archive ??= await open(session.SystemIdentifier, cancellationToken);
        if (_archive.SystemIdentifier != session.SystemIdentifier)
            throw new WalFormatException(
                $"The server is now cluster {session.SystemIdentifier} and was {_archive.SystemIdentifier}; receive it into an archive "
                    + "of its own.");
        var path = await ServerTimelines.ArchiveAsync(options, session, _archive, cancellationToken);
        if (_buffer is null || _buffer.SegmentSize != session.SegmentSize)
        {
            _buffer = new SegmentBuffer(session.SegmentSize);
            await ReceiveStart.ResumeAsync(_archive, path, session.SlotStart, _buffer, cancellationToken);
        }

        await ServerTimelines.FollowAsync(_archive, path, _buffer, cancellationToken);
        Update(_status with
        {
            Timeline = _buffer.Name.Timeline,
            Received = _buffer.Position,
            Archived = _buffer.ArchivedPosition,
            ServerEnd = session.ServerEnd,
        });
        try
        {
            await StreamAsync(session, _archive, _buffer, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedFile)
        {
            // The server has removed that WAL. A gap is better than no archive at all; verification and the window name it.
            var resumed = WalSegmentName.Containing(path.At(session.SlotStart), session.SlotStart, session.SegmentSize);
            var problem = $"The server has no WAL from LSN {_buffer.Position} on any more; receiving goes on with segment {resumed}.";
            Update(_status with { LastProblem = problem + " Take a new base backup." });
            await ReceiveStart.BeginAsync(_archive, resumed, _buffer, cancellationToken);
        }
    }

    private async Task StreamAsync(
        ReplicationSession session, WalArchive archive, SegmentBuffer buffer, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var messages = session.Stream(buffer.Position, buffer.Name.Timeline, stopping.Token);
        Task<bool>? pending = null;
        try
        {
            pending = messages.MoveNextAsync().AsTask();
            var tick = Task.Delay(options.SealInterval, time, stopping.Token);
            while (true)
            {
                // A cancelled tick completes too; the message's own task then says so.
                await Task.WhenAny(pending, tick);
                if (tick.IsCompletedSuccessfully)
                {
                    if (buffer.HasNews) await ArchiveNewsAsync(session, archive, buffer, cancellationToken);
                    tick = Task.Delay(options.SealInterval, time, stopping.Token);
                }

                if (!pending.IsCompleted)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    continue;
                }

                if (!await pending) return;
                var message = messages.Current;
                var start = new Lsn((ulong)message.WalStart);
                if (start != buffer.Position)
                    throw new WalFormatException($"The server sent WAL from {start} where {buffer.Position} was to follow.");
                for (var left = checked((int)message.Data.Length); left > 0;)
                {
                    var count = Math.Min(left, buffer.SegmentSize - buffer.Length);
                    await buffer.FillAsync(message.Data, count, cancellationToken);
                    left -= count;
                    if (buffer.IsFull) await ArchiveSegmentAsync(session, archive, buffer, cancellationToken);
                }

                var serverEnd = new Lsn((ulong)message.WalEnd);
                if (serverEnd < _status.ServerEnd) serverEnd = _status.ServerEnd;
                Update(_status with { IsStreaming = true, Received = buffer.Position, ServerEnd = serverEnd });
                pending = messages.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            await stopping.CancelAsync();
            if (pending is not null) await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await messages.DisposeAsync();
        }
    }

    private async Task ArchiveSegmentAsync(
        ReplicationSession session, WalArchive archive, SegmentBuffer buffer, CancellationToken cancellationToken)
    {
        await archive.PushAsync(buffer.Name, buffer.Whole, cancellationToken);
        buffer.Begin(buffer.Name.Next(buffer.SegmentSize), []);
        Confirm(session, buffer);
    }

    private async Task ArchiveNewsAsync(
        ReplicationSession session, WalArchive archive, SegmentBuffer buffer, CancellationToken cancellationToken)
    {
        await archive.PushPartAsync(buffer.Name, buffer.SegmentSize, buffer.Archived, buffer.News, cancellationToken);
        buffer.MarkArchived();
        Confirm(session, buffer);
    }

    private void Confirm(ReplicationSession session, SegmentBuffer buffer)
    {
        session.Confirm(buffer.ArchivedPosition);
        Update(_status with { Received = buffer.Position, Archived = buffer.ArchivedPosition, ArchivedAt = time.GetUtcNow() });
    }

    private async ValueTask SealRestAsync(CancellationToken cancellationToken)
    {
        if (_archive is null || _buffer is not { HasNews: true } buffer) return;
        // Cancellation means "stop receiving": the bytes at hand are archived all the same, within a limit.
        using var limit = new CancellationTokenSource(LastSealLimit, time);
        try
        {
            await _archive.PushPartAsync(buffer.Name, buffer.SegmentSize, buffer.Archived, buffer.News, limit.Token);
            buffer.MarkArchived();
            Update(_status with { Archived = buffer.ArchivedPosition, ArchivedAt = time.GetUtcNow() });
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && (IsPassing(e) || e is OperationCanceledException))
        {
            // They stay in the buffer, and are tried again with the next connection.
            Update(_status with { Failures = _status.Failures + 1, LastProblem = e.Message });
        }
    }

    /// <summary>Whether trying again later may help.</summary>
    private static bool IsPassing(Exception e) => e switch
    {
        PostgresException p => p.SqlState is not (PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
            or PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedObject),
        NpgsqlException or PostgresProtocolException or IOException or StoreException => true,
        TimeoutException or InvalidOperationException => true,
        _ => false,
    };

    private void Update(WalReceiverStatus status)
    {
        _status = status;
        StatusChanged?.Invoke(status);
    }

    private static bool IsSlotName(string name) =>
        name.Length is >= 1 and <= 63 && name.All(static c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_');
}
