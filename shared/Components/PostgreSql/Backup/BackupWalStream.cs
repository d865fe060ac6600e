using FunctionsBackup.Components.PostgreSql.Protocol;
using FunctionsBackup.Components.PostgreSql.Wal;
using Npgsql;
using Npgsql.Replication;
using NpgsqlTypes;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Streams the WAL of a running backup over a second connection into the archive, segment by segment, from a temporary slot that was
/// reserved before the backup started, so that nothing of it can be recycled. Closing it drops the slot.
/// </summary>
internal sealed class BackupWalStream : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly PhysicalReplicationConnection _connection;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private PhysicalReplicationSlot? _slot;
    private WalArchive _archive = null!;
    private int _segmentSize;
    private uint _timeline;
    private byte[] _segment = [];
    private Lsn _received;
    private Lsn? _target;
    private Task? _running;

    private BackupWalStream(PhysicalReplicationConnection connection, TimeProvider time) => (_connection, _time) = (connection, time);

    /// <summary>Why the server gave no slot; null if it did.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The server's clock minus ours, as of the last message.</summary>
    public TimeSpan ClockDifference { get; private set; }

    /// <exception cref="PostgresBackupException">No second replication connection can be had.</exception>
    public static async ValueTask<BackupWalStream> OpenAsync(string connectionString, TimeProvider time, CancellationToken cancellationToken)
    {
        var builder = PostgresConnectionString.Parse(connectionString);
        builder.ApplicationName ??= "fbackup";
        var receiver = new BackupWalStream(new PhysicalReplicationConnection(builder.ConnectionString), time);
        try
        {
            await receiver._connection.Open(cancellationToken);
            try
            {
                receiver._slot = await receiver._connection.CreateReplicationSlot($"fbackup_{Guid.NewGuid():N}", true, true, cancellationToken);
            }
            catch (PostgresException exception)
            {
                receiver.Refusal = exception.MessageText;
            }

            return receiver;
        }
        catch (NpgsqlException exception)
        {
            await receiver.DisposeAsync();
            throw new PostgresBackupException(
                $"A replication connection for the WAL cannot be opened: {exception.Message}; the user needs REPLICATION, and max_wal_senders two places.",
                exception);
        }
        catch
        {
            await receiver.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins to stream from the start of the segment that holds <paramref name="start"/>.</summary>
    public void Start(WalArchive archive, uint timeline, Lsn start, int segmentSize)
    {
        (_archive, _timeline, _segmentSize) = (archive, timeline, segmentSize);
        _segment = new byte[segmentSize];
        _received = WalSegmentName.Containing(timeline, start, segmentSize).Start(segmentSize);
        _running = RunAsync(_received, _end.Token);
    }

    /// <summary>Waits until everything before <paramref name="stop"/> is archived.</summary>
    /// <param name="stop">End of what is needed.</param>
    /// <param name="switches">
    /// A primary switches to a new segment when a backup stops, so that the last segment becomes complete. Of one that stays incomplete, as
    /// on a standby, what is there is archived as a part.
    /// </param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="PostgresBackupException">The WAL did not come.</exception>
    public async ValueTask FinishAsync(Lsn stop, bool switches, CancellationToken cancellationToken)
    {
        var last = WalSegmentName.Containing(_timeline, new Lsn(stop.Value - 1), _segmentSize).Start(_segmentSize);
        if (switches && await HasComeAsync(last + (ulong)_segmentSize, cancellationToken)) return;
        if (!await HasComeAsync(stop, cancellationToken))
            throw new PostgresBackupException($"The server did not send the WAL up to {stop}, which the backup needs; it came to {_received}.");
    }

    private async ValueTask<bool> HasComeAsync(Lsn target, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _target = target;
            if (_received >= target) _end.Cancel();
        }

        try
        {
            await _running!.WaitAsync(Patience, _time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Ends early with the error if streaming failed; otherwise does nothing.</summary>
    public void ThrowIfFailed()
    {
        if (_running is { IsFaulted: true } failed) failed.GetAwaiter().GetResult();
    }

    private async Task RunAsync(Lsn start, CancellationToken cancellationToken)
    {
        try
        {
            var from = new NpgsqlLogSequenceNumber(start.Value);
            var messages = _slot is null
                ? _connection.StartReplication(from, cancellationToken, _timeline)
                : _connection.StartReplication(_slot, from, cancellationToken, _timeline);
            await foreach (var message in messages)
            {
                if (message.WalStart != (NpgsqlLogSequenceNumber)_received.Value)
                    throw new PostgresBackupException($"The server left a gap in its WAL stream at {_received}.");
                ClockDifference = new DateTimeOffset(DateTime.SpecifyKind(message.ServerClock, DateTimeKind.Utc)) - _time.GetUtcNow();
                await TakeAsync(message.Data, cancellationToken);
                _connection.SetReplicationStatus((NpgsqlLogSequenceNumber)_received.Value);
                lock (_gate)
                {
                    if (_target is { } target && _received >= target) break;
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or NpgsqlException && IsReached())
        {
            // All that is wanted has come; waiting for more was given up.
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException)
        {
            throw new PostgresBackupException($"The server's WAL stream broke off: {(exception as PostgresException)?.MessageText ?? exception.Message}", exception);
        }

        if (!IsReached())
            throw new PostgresBackupException($"The server ended its WAL stream at {_received}, before the backup was complete.") { IsTransient = true };
        var rest = (int)(_received.Value % (ulong)_segmentSize);
        if (rest > 0)
        {
            await _archive.PushPartAsync(
                WalSegmentName.Containing(_timeline, _received, _segmentSize), _segmentSize, 0, _segment.AsMemory(0, rest), CancellationToken.None);
        }
    }

    private bool IsReached()
    {
        lock (_gate) return _target is { } target && _received >= target;
    }

    private async ValueTask TakeAsync(Stream data, CancellationToken cancellationToken)
    {
        while (true)
        {
            var at = (int)(_received.Value % (ulong)_segmentSize);
            var read = await data.ReadAsync(_segment.AsMemory(at), cancellationToken);
            if (read == 0) return;
            var name = WalSegmentName.Containing(_timeline, _received, _segmentSize);
            if (at + read == _segmentSize) await _archive.PushAsync(name, _segment, cancellationToken);
            lock (_gate) _received += (ulong)read;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_running is not null) await _running.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await _connection.DisposeAsync();
        _end.Dispose();
    }
}
