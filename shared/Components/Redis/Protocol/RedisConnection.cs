using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FunctionsBackup.Components.Redis.Protocol;

/// <summary>
/// A connection that speaks RESP2 (redis.io, "Redis serialization protocol specification"). Commands may be sent ahead of their replies; one
/// sender and one receiver at a time.
/// </summary>
public sealed class RedisConnection : IAsyncDisposable
{
    private const int BufferSize = 256 * 1024;

    /// <summary>What a server's reply may hold at most where it is kept in memory.</summary>
    private const int MaximumBulk = 600 << 20, MaximumItems = 4 << 20, MaximumDepth = 8, MaximumLine = 64 << 10;

    private static readonly byte[] LineEnd = [(byte)'\r', (byte)'\n'];
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(15);

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly string _server;
    private readonly byte[] _in = ArrayPool<byte>.Shared.Rent(BufferSize);
    private readonly byte[] _out = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _begin, _end, _filled;

    private RedisConnection(Socket socket, Stream stream, string server) => (_socket, _stream, _server) = (socket, stream, server);

    /// <summary>Host and port.</summary>
    public string Server => _server;

    /// <summary>Connects, and says who asks.</summary>
    /// <exception cref="RedisException">It cannot be reached, or does not let us in.</exception>
    public static async ValueTask<RedisConnection> OpenAsync(RedisAddress address, CancellationToken cancellationToken)
    {
        var server = address.ToString();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(ConnectLimit);
            await socket.ConnectAsync(address.Host, address.Port, limit.Token).ConfigureAwait(false);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            stream = new NetworkStream(socket, ownsSocket: false);
            if (address.Tls) stream = await SecureAsync(stream, address, limit.Token).ConfigureAwait(false);
            var connection = new RedisConnection(socket, stream, server);
            if (address.Password is { } password)
            {
                RedisArgument[] auth = address.User is { } user ? ["AUTH", user, password] : ["AUTH", password];
                await connection.CallAsync(limit.Token, auth).ConfigureAwait(false);
            }

            return connection;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await CloseAsync(socket, stream).ConfigureAwait(false);
            throw new RedisException($"Redis at {server} did not answer within {ConnectLimit.TotalSeconds:0} s; look at the server and at the network.") { IsTransient = true };
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            await CloseAsync(socket, stream).ConfigureAwait(false);
            var isTrust = e is AuthenticationException;
            throw new RedisException(
                isTrust ? $"Redis at {server} showed a certificate that is not trusted, or speaks no TLS ({e.Message}); name its authority with ?ca_file=PATH."
                    : $"Redis at {server} cannot be reached ({e.Message}); look at the address in components.redis.connection and at the server.", e)
            {
                IsTransient = !isTrust,
            };
        }
        catch
        {
            await CloseAsync(socket, stream).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sends a command and waits for its reply.</summary>
    /// <exception cref="RedisException">The server answered with an error, or not at all.</exception>
    public async ValueTask<RedisReply> CallAsync(CancellationToken cancellationToken, params RedisArgument[] command)
    {
        await SendAsync(command, cancellationToken).ConfigureAwait(false);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        return await ReceiveAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends a command; it may wait in the buffer until <see cref="FlushAsync"/>.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<RedisArgument> command, CancellationToken cancellationToken)
    {
        await WriteHeaderAsync((byte)'*', command.Length, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < command.Length; i++)
        {
            var bytes = command.Span[i].Bytes;
            await WriteHeaderAsync((byte)'$', bytes.Length, cancellationToken).ConfigureAwait(false);
            await WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            await WriteAsync(LineEnd, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Bytes as they are: part of a command that is too large to be in memory at once.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.Length > BufferSize - _filled) await FlushAsync(cancellationToken).ConfigureAwait(false);
        if (bytes.Length > BufferSize)
        {
            await SendRawAsync(bytes, cancellationToken).ConfigureAwait(false);
            return;
        }

        bytes.Span.CopyTo(_out.AsSpan(_filled));
        _filled += bytes.Length;
    }

    /// <summary>The line before a command of so many words (<c>*</c>), or a word of so many bytes (<c>$</c>).</summary>
    public async ValueTask WriteHeaderAsync(byte kind, long count, CancellationToken cancellationToken)
    {
        if (BufferSize - _filled < 24) await FlushAsync(cancellationToken).ConfigureAwait(false);
        _out[_filled++] = kind;
        Utf8Formatter.TryFormat(count, _out.AsSpan(_filled), out var written);
        _filled += written;
        _out[_filled++] = (byte)'\r';
        _out[_filled++] = (byte)'\n';
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_filled == 0) return;
        var length = _filled;
        _filled = 0;
        await SendRawAsync(_out.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The next reply; an error is thrown.</summary>
    public async ValueTask<RedisReply> ReceiveAsync(CancellationToken cancellationToken)
    {
        var reply = await TryReceiveAsync(cancellationToken).ConfigureAwait(false);
        return reply.Error is { } error ? throw RedisException.Of(_server, error) : reply;
    }

    /// <summary>The next reply; an error is one, too.</summary>
    public ValueTask<RedisReply> TryReceiveAsync(CancellationToken cancellationToken) => ReadReplyAsync(0, cancellationToken);

    /// <summary>The next line, without its end: for what is no reply.</summary>
    public async ValueTask<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        var scanned = 0;
        while (true)
        {
            var line = _in.AsSpan(_begin + scanned, _end - _begin - scanned).IndexOf((byte)'\n');
            if (line >= 0)
            {
                var length = scanned + line;
                var text = Encoding.UTF8.GetString(_in, _begin, length > 0 && _in[_begin + length - 1] == '\r' ? length - 1 : length);
                _begin += length + 1;
                return text;
            }

            scanned = _end - _begin;
            if (scanned > MaximumLine) throw RedisException.Nonsense(_server, "a line without an end");
            await FillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Bytes that come next, at least one; 0: the server has hung up.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_begin < _end)
        {
            var length = Math.Min(buffer.Length, _end - _begin);
            _in.AsSpan(_begin, length).CopyTo(buffer.Span);
            _begin += length;
            return length;
        }

        try
        {
            return await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            throw RedisException.Lost(_server, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_socket, _stream).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(_in, clearArray: true);
        ArrayPool<byte>.Shared.Return(_out, clearArray: true);
    }

    private async ValueTask<RedisReply> ReadReplyAsync(int depth, CancellationToken cancellationToken)
    {
        var line = await ReadLineAsync(cancellationToken).ConfigureAwait(false);
        if (line.Length == 0) throw RedisException.Nonsense(_server, "an empty line");
        switch (line[0])
        {
            case '+':
                return new RedisReply(RedisReplyKind.Simple) { Bytes = Encoding.UTF8.GetBytes(line[1..]) };
            case '-':
                return new RedisReply(RedisReplyKind.Simple) { Error = line[1..] };
            case ':':
                return new RedisReply(RedisReplyKind.Integer) { Integer = Number(line) };
            case '$':
                var length = Number(line);
                if (length == -1) return RedisReply.Nil;
                if (length is < 0 or > MaximumBulk) throw RedisException.Nonsense(_server, "an impossible length");
                return new RedisReply(RedisReplyKind.Bulk) { Bytes = await ReadBulkAsync((int)length, cancellationToken).ConfigureAwait(false) };
            case '*':
                var count = Number(line);
                if (count == -1) return RedisReply.Nil;
                if (count is < 0 or > MaximumItems || depth == MaximumDepth) throw RedisException.Nonsense(_server, "an impossible number of items");
                var items = new List<RedisReply>((int)Math.Min(count, 1024));
                for (var i = 0; i < count; i++) items.Add(await ReadReplyAsync(depth + 1, cancellationToken).ConfigureAwait(false));
                return new RedisReply(RedisReplyKind.Array) { Items = items };
            default:
                throw RedisException.Nonsense(_server, "an unknown kind of reply");
        }
    }

    private async ValueTask<byte[]> ReadBulkAsync(int length, CancellationToken cancellationToken)
    {
        // Not all at once: a server that only says so must not cost the memory.
        var bytes = new byte[Math.Min(length, 1 << 20)];
        for (var at = 0; at < length;)
        {
            if (at == bytes.Length) Array.Resize(ref bytes, (int)Math.Min(length, bytes.Length * 2L));
            var read = await ReadAsync(bytes.AsMemory(at), cancellationToken).ConfigureAwait(false);
            if (read == 0) throw RedisException.Lost(_server);
            at += read;
        }

        while (_end - _begin < 2) await FillAsync(cancellationToken).ConfigureAwait(false);
        _begin += 2;
        return bytes;
    }

    private long Number(string line) =>
        long.TryParse(line.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number : throw RedisException.Nonsense(_server, "something that is no number");

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_begin > 0)
        {
            _in.AsSpan(_begin, _end - _begin).CopyTo(_in);
            (_begin, _end) = (0, _end - _begin);
        }

        try
        {
            var read = await _stream.ReadAsync(_in.AsMemory(_end, BufferSize - _end), cancellationToken).ConfigureAwait(false);
            if (read == 0) throw RedisException.Lost(_server);
            _end += read;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            throw RedisException.Lost(_server, e);
        }
    }

    private async ValueTask SendRawAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await _stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            throw RedisException.Lost(_server, e);
        }
    }

    private static async ValueTask<Stream> SecureAsync(Stream stream, RedisAddress address, CancellationToken cancellationToken)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = address.Host };
        if (address.CaFile is { } file)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            try
            {
                policy.CustomTrustStore.ImportFromPemFile(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new RedisException($"The authority in {file}, which the Redis connection names as ca_file, cannot be read: {e.Message}", e);
            }

            options.CertificateChainPolicy = policy;
        }

        var secure = new SslStream(stream);
        try
        {
            await secure.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
            return secure;
        }
        catch
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async ValueTask CloseAsync(Socket socket, Stream? stream)
    {
        if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        socket.Dispose();
    }
}
