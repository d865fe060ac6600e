using System.Globalization;
using FunctionsBackup.Components.Redis.Protocol;

namespace FunctionsBackup.Components.Redis.Sources;

/// <summary>
/// The beginning of a replica (replication.c): the server makes an RDB as of one moment and sends it, with the length before it, or, without a file of
/// its own, with a mark of 40 bytes behind it.
/// </summary>
internal sealed class FullResync
{
    private const int MarkSize = 40;

    private readonly RedisConnection _connection;
    private readonly byte[]? _mark;
    private long _left;

    private FullResync(RedisConnection connection, string replicationId, long offset, long length, byte[]? mark) =>
        (_connection, ReplicationId, Offset, _left, _mark) = (connection, replicationId, offset, length, mark);

    public string ReplicationId { get; }

    /// <summary>Bytes of the stream whose effect the RDB holds.</summary>
    public long Offset { get; }

    /// <summary>Asks for it, and waits until it begins: a server takes a while to fork, and says so with empty lines.</summary>
    /// <param name="connection">Of its own.</param>
    /// <param name="begun">Told when the server has fixed the moment.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<FullResync> BeginAsync(RedisConnection connection, Action begun, CancellationToken cancellationToken)
    {
        await connection.SendAsync(new RedisArgument[] { "REPLCONF", "capa", "eof", "capa", "psync2" }, cancellationToken).ConfigureAwait(false);
        // Of 7 and later: nothing is kept for us of what comes behind the RDB.
        await connection.SendAsync(new RedisArgument[] { "REPLCONF", "rdb-only", "1" }, cancellationToken).ConfigureAwait(false);
        await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < 2; i++)
        {
            var reply = await connection.TryReceiveAsync(cancellationToken).ConfigureAwait(false);
            if (reply.Error is { } error && RedisException.Of(connection.Server, error) is { IsRefusal: true } refusal) throw refusal;
        }

        await connection.SendAsync(new RedisArgument[] { "PSYNC", "?", "-1" }, cancellationToken).ConfigureAwait(false);
        await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
        var answer = await NextLineAsync(connection, cancellationToken).ConfigureAwait(false);
        if (answer.StartsWith('-')) throw RedisException.Of(connection.Server, answer[1..]);
        if (answer.Split(' ') is not ["+FULLRESYNC", var id, var text] || id.Length != 40 || !id.All(char.IsAsciiHexDigitLower)
            || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            throw RedisException.Nonsense(connection.Server, "no answer to PSYNC");
        begun();
        var size = await NextLineAsync(connection, cancellationToken).ConfigureAwait(false);
        if (size.StartsWith('-')) throw RedisException.Of(connection.Server, size[1..]);
        if (size.StartsWith("$EOF:", StringComparison.Ordinal) && size.Length == 5 + MarkSize)
            return new FullResync(connection, id, offset, long.MaxValue, System.Text.Encoding.Latin1.GetBytes(size[5..]));
        return size.StartsWith('$') && long.TryParse(size.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? new FullResync(connection, id, offset, length, null)
            : throw RedisException.Nonsense(connection.Server, "no length of an RDB");
    }

    /// <summary>The next bytes; 0 at the end of an RDB whose length was said.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_left == 0) return 0;
        if (buffer.Length > _left) buffer = buffer[..(int)_left];
        var read = await _connection.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (read == 0) throw RedisException.Lost(_connection.Server);
        _left -= read;
        return read;
    }

    /// <summary>Checks what is behind the RDB.</summary>
    /// <param name="read">Fills a buffer with the bytes behind it.</param>
    public async ValueTask CheckEndAsync(Func<Memory<byte>, ValueTask> read)
    {
        if (_mark is null)
        {
            if (_left > 0) throw RedisException.Nonsense(_connection.Server, "bytes behind the RDB");
            return;
        }

        var mark = new byte[MarkSize];
        await read(mark).ConfigureAwait(false);
        if (!mark.AsSpan().SequenceEqual(_mark)) throw RedisException.Nonsense(_connection.Server, "an RDB without its end");
    }

    private static async ValueTask<string> NextLineAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = await connection.ReadLineAsync(cancellationToken).ConfigureAwait(false);
            if (line.Length > 0) return line;
        }
    }
}
