using System.Threading.Channels;
using System.Text;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Rdb;

namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>
/// One connection into which keys are restored: commands go ahead of their replies, so many bytes at once. One sender; replies are taken beside it.
/// </summary>
internal sealed class RestorePipe : IAsyncDisposable
{
    /// <summary>Bytes that may be on their way.</summary>
    private const long Window = 8 << 20;

    private static readonly RedisArgument[] Select = ["SELECT"];

    private readonly RedisConnection _connection;
    private readonly Channel<Sent> _sent = Channel.CreateUnbounded<Sent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly Action<int, ReadOnlyMemory<byte>, string> _onFailure;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _receiving;
    private readonly byte[] _header = new byte[1];
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _inFlight;
    private int _database;

    public RestorePipe(RedisConnection connection, Action<int, ReadOnlyMemory<byte>, string> onFailure)
    {
        (_connection, _onFailure) = (connection, onFailure);
        _receiving = ReceiveAsync();
    }

    /// <summary>Sends RESTORE for one key.</summary>
    /// <param name="record">The key as it is to be called; its value, if it is not large.</param>
    /// <param name="replace">Whether one that is there is replaced.</param>
    /// <param name="rdbVersion">For which the value is serialized.</param>
    /// <param name="large">Gives the bytes of a large value to a taker; null: it is in the record.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask RestoreAsync(
        RdbRecord record, bool replace, int rdbVersion, Func<Func<ReadOnlyMemory<byte>, ValueTask>, ValueTask>? large, CancellationToken cancellationToken)
    {
        var size = record.Key.Length + record.ValueLength + 64;
        await WaitForRoomAsync(size, cancellationToken).ConfigureAwait(false);
        if (record.Database != _database)
        {
            _database = record.Database;
            await _connection.SendAsync(new[] { Select[0], (RedisArgument)(long)record.Database }, cancellationToken).ConfigureAwait(false);
            Note(new Sent(record.Database, default, 0));
        }

        var words = 4 + (replace ? 1 : 0) + (record.ExpiresAt >= 0 ? 1 : 0);
        await _connection.WriteHeaderAsync((byte)'*', words, cancellationToken).ConfigureAwait(false);
        await WordAsync("RESTORE"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        await WordAsync(record.Key, cancellationToken).ConfigureAwait(false);
        await WordAsync(((RedisArgument)Math.Max(0, record.ExpiresAt)).Bytes, cancellationToken).ConfigureAwait(false);
        await _connection.WriteHeaderAsync((byte)'$', 1 + record.ValueLength + 10, cancellationToken).ConfigureAwait(false);
        _header[0] = record.Type;
        var crc = RdbCrc64.Append(0, _header);
        await _connection.WriteAsync(_header, cancellationToken).ConfigureAwait(false);
        if (large is null)
        {
            crc = RdbCrc64.Append(crc, record.Value.Span);
            await _connection.WriteAsync(record.Value, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await large(bytes =>
            {
                crc = RdbCrc64.Append(crc, bytes.Span);
                return _connection.WriteAsync(bytes, cancellationToken);
            }).ConfigureAwait(false);
        }

        await _connection.WriteAsync(RdbWriter.DumpFooter(crc, rdbVersion), cancellationToken).ConfigureAwait(false);
        await _connection.WriteAsync(LineEnd, cancellationToken).ConfigureAwait(false);
        if (replace) await WordAsync("REPLACE"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        if (record.ExpiresAt >= 0) await WordAsync("ABSTTL"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        Note(new Sent(record.Database, record.Key.Length <= 128 ? record.Key.ToArray() : record.Key[..128].ToArray(), size));
    }

    /// <summary>Waits until all is answered.</summary>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await _connection.FlushAsync(cancellationToken).ConfigureAwait(false);
        _sent.Writer.TryComplete();
        await _receiving.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _sent.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
        await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    private void Note(Sent sent)
    {
        Interlocked.Add(ref _inFlight, sent.Size);
        _sent.Writer.TryWrite(sent);
    }

    private async ValueTask WordAsync(ReadOnlyMemory<byte> word, CancellationToken cancellationToken)
    {
        await _connection.WriteHeaderAsync((byte)'$', word.Length, cancellationToken).ConfigureAwait(false);
        await _connection.WriteAsync(word, cancellationToken).ConfigureAwait(false);
        await _connection.WriteAsync(LineEnd, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask WaitForRoomAsync(long size, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_receiving.IsFaulted) await _receiving.ConfigureAwait(false);
            var room = Volatile.Read(ref _room);
            var inFlight = Interlocked.Read(ref _inFlight);
            if (inFlight == 0 || inFlight + size <= Window) return;
            await _connection.FlushAsync(cancellationToken).ConfigureAwait(false);
            await Task.WhenAny(room.Task, _receiving).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReceiveAsync()
    {
        await foreach (var sent in _sent.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            var reply = await _connection.TryReceiveAsync(_stop.Token).ConfigureAwait(false);
            if (reply.Error is { } error)
            {
                // What concerns the whole server ends the restore; what concerns a key is that key's.
                var failure = RedisException.Of(_connection.Server, error);
                if (sent.Size == 0 || failure.IsDenied || failure.Code is "OOM" or "READONLY" or "LOADING" or "MISCONF") throw failure;
                _onFailure(sent.Database, sent.Key, error);
            }

            Interlocked.Add(ref _inFlight, -sent.Size);
            Interlocked.Exchange(ref _room, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }
    }

    private readonly record struct Sent(int Database, ReadOnlyMemory<byte> Key, long Size);

    /// <summary>A key for people.</summary>
    internal static string Shown(ReadOnlySpan<byte> key) =>
        new([.. Encoding.UTF8.GetString(key[..Math.Min(key.Length, 100)]).Select(c => char.IsControl(c) || c == '\uFFFD' ? '?' : c)]);
}
