using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>One result of a command: column names, and rows of text (null for SQL null).</summary>
public sealed record CommandResult(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string?>> Rows);

/// <summary>
/// A connection in replication mode (PostgreSQL manual, 55.4 Streaming Replication Protocol): simple commands, and the copy streams of
/// BASE_BACKUP and UPLOAD_MANIFEST, which no .NET client offers. One command at a time; not for concurrent use. Closing it at any moment
/// makes the server end whatever it was doing.
/// </summary>
public sealed class ReplicationConnection : IAsyncDisposable
{
    private const int MaximumNotices = 100;
    private const int MaximumRows = 100_000;

    private readonly Stream _stream;
    private readonly MessageReader _reader;
    private readonly MessageWriter _writer;
    private readonly Dictionary<string, string> _parameters = new(StringComparer.Ordinal);
    private readonly List<string> _notices = [];
    private bool _idle;

    private ReplicationConnection(Stream stream)
    {
        _stream = stream;
        _reader = new MessageReader(stream);
        _writer = new MessageWriter(stream);
    }

    /// <summary>What the server reported of itself: <c>server_version</c>, <c>TimeZone</c>, …</summary>
    public IReadOnlyDictionary<string, string> Parameters => _parameters;

    /// <summary>Warnings of the server, the first hundred.</summary>
    public IReadOnlyList<string> Notices => _notices;

    internal MessageReader Reader => _reader;

    /// <summary>Connects and authenticates; the connection then waits for a command.</summary>
    /// <exception cref="PostgresProtocolException">The server is not there, or refuses.</exception>
    public static async ValueTask<ReplicationConnection> OpenAsync(ServerEndpoint endpoint, CancellationToken cancellationToken)
    {
        var connection = new ReplicationConnection(await TlsNegotiation.ConnectAsync(endpoint, cancellationToken));
        try
        {
            await connection._writer.StartupAsync(
                [("user", endpoint.User), ("replication", "true"), ("application_name", "fbackup"), ("client_encoding", "UTF8")], cancellationToken);
            await Authentication.RunAsync(endpoint, connection._reader, connection._writer, cancellationToken);
            await connection.ReadyAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command and gives all its results.</summary>
    /// <exception cref="PostgresProtocolException">The server refuses; after severity ERROR the connection can be used again.</exception>
    public async ValueTask<IReadOnlyList<CommandResult>> ExecuteAsync(string command, CancellationToken cancellationToken)
    {
        await SendAsync(command, cancellationToken);
        var results = new List<CommandResult>();
        while (await NextAsync(cancellationToken) is var type && type != Backend.ReadyForQuery)
        {
            if (type != Backend.RowDescription) await _reader.BodyAsync(cancellationToken);
            else results.Add(await ReadResultAsync(cancellationToken));
        }

        return results;
    }

    /// <summary>The single value of <c>SHOW name</c>.</summary>
    public async ValueTask<string> ShowAsync(string name, CancellationToken cancellationToken) =>
        await ExecuteAsync($"SHOW {name}", cancellationToken) is [{ Rows: [[{ } value]] }]
            ? value
            : throw PostgresProtocolException.Violation($"The server did not answer SHOW {name} with one value.");

    /// <summary>System identifier, timeline and current WAL position.</summary>
    public async ValueTask<(string SystemIdentifier, uint Timeline, Lsn Position)> IdentifyAsync(CancellationToken cancellationToken) =>
        await ExecuteAsync("IDENTIFY_SYSTEM", cancellationToken) is [{ Rows: [[{ } id, { } timelineText, { } lsnText, ..]] }]
        && ulong.TryParse(id, out _) && uint.TryParse(timelineText, out var timeline) && Lsn.TryParse(lsnText, out var lsn)
            ? (id, timeline, lsn)
            : throw PostgresProtocolException.Violation("The server did not answer IDENTIFY_SYSTEM as it should.");

    /// <summary>The content of a timeline's history file, byte for byte; timeline 1 has none.</summary>
    public async ValueTask<byte[]> TimelineHistoryAsync(uint timeline, CancellationToken cancellationToken)
    {
        // The server sends the file's bytes as they are, whatever it calls their type; Latin-1 keeps each as it is.
        await SendAsync($"TIMELINE_HISTORY {timeline}", cancellationToken);
        byte[]? content = null;
        while (await NextAsync(cancellationToken) is var type && type != Backend.ReadyForQuery)
        {
            if (type != Backend.RowDescription) await _reader.BodyAsync(cancellationToken);
            else if ((await ReadResultAsync(cancellationToken, Encoding.Latin1)).Rows is [[_, { } text]]) content = Encoding.Latin1.GetBytes(text);
        }

        return content ?? throw PostgresProtocolException.Violation("The server did not answer TIMELINE_HISTORY as it should.");
    }

    /// <summary>Sends bytes as the input that a command such as UPLOAD_MANIFEST asks for.</summary>
    public async ValueTask CopyInAsync(string command, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        const int PieceSize = 64 << 10;
        await SendAsync(command, cancellationToken);
        if (await NextAsync(cancellationToken) != Backend.CopyInResponse)
            throw PostgresProtocolException.Violation($"The server did not ask for the input of {command}.");
        for (; !data.IsEmpty; data = data[Math.Min(PieceSize, data.Length)..])
            await _writer.CopyDataAsync(data[..Math.Min(PieceSize, data.Length)], cancellationToken);
        await _writer.CopyDoneAsync(cancellationToken);
        await ReadyAsync(cancellationToken);
    }

    /// <summary>Writes text as the replication grammar's string: quotes doubled.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    internal async ValueTask SendAsync(string command, CancellationToken cancellationToken)
    {
        if (!_idle) throw new InvalidOperationException("The connection is busy with another command.");
        _idle = false;
        await _writer.QueryAsync(command, cancellationToken);
    }

    /// <summary>The next message that belongs to the command; its body is still to be read. Notices and parameters are taken in on the way.</summary>
    internal async ValueTask<byte> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var type = await _reader.NextAsync(cancellationToken);
            switch (type)
            {
                case Backend.ErrorResponse:
                    var error = new MessageBody((await _reader.BodyAsync(cancellationToken)).Span).Error();
                    if (error.Severity == "ERROR") await SkipToReadyAsync(cancellationToken);
                    throw error;
                case Backend.NoticeResponse:
                    TakeNotice((await _reader.BodyAsync(cancellationToken)).Span);
                    continue;
                case Backend.ParameterStatus:
                    TakeParameter((await _reader.BodyAsync(cancellationToken)).Span);
                    continue;
                case Backend.NotificationResponse:
                    continue;
                case Backend.ReadyForQuery:
                    await _reader.BodyAsync(cancellationToken);
                    _idle = true;
                    return type;
                default:
                    return type;
            }
        }
    }

    /// <summary>Reads the rows after a RowDescription, whose body is still to be read, up to CommandComplete.</summary>
    internal async ValueTask<CommandResult> ReadResultAsync(CancellationToken cancellationToken, Encoding? encoding = null)
    {
        var columns = Columns((await _reader.BodyAsync(cancellationToken)).Span);
        var rows = new List<IReadOnlyList<string?>>();
        while (true)
        {
            var type = await NextAsync(cancellationToken);
            var body = await _reader.BodyAsync(cancellationToken);
            switch (type)
            {
                case Backend.DataRow when rows.Count < MaximumRows:
                    rows.Add(Row(body.Span, columns.Count, encoding ?? Encoding.UTF8));
                    break;
                case Backend.CommandComplete:
                    return new CommandResult(columns, rows);
                default:
                    throw PostgresProtocolException.Violation($"The server sent an unexpected message ({(char)type}) among rows.");
            }
        }
    }

    private async ValueTask ReadyAsync(CancellationToken cancellationToken)
    {
        while (await NextAsync(cancellationToken) != Backend.ReadyForQuery) await _reader.BodyAsync(cancellationToken);
    }

    private async ValueTask SkipToReadyAsync(CancellationToken cancellationToken)
    {
        while (await _reader.NextAsync(cancellationToken) != Backend.ReadyForQuery) continue;
        await _reader.BodyAsync(cancellationToken);
        _idle = true;
    }

    private void TakeNotice(ReadOnlySpan<byte> body)
    {
        var notice = new MessageBody(body).Error();
        if (notice.Severity == "WARNING" && _notices.Count < MaximumNotices) _notices.Add(notice.Message);
    }

    private void TakeParameter(ReadOnlySpan<byte> body)
    {
        var message = new MessageBody(body);
        var name = message.Text();
        _parameters[name] = message.Text();
    }

    private static List<string> Columns(ReadOnlySpan<byte> body)
    {
        var message = new MessageBody(body);
        var columns = new List<string>();
        for (var count = message.Int16(); count > 0; count--)
        {
            columns.Add(message.Text());
            message.Bytes(18); // table, column, type, size, modifier, format
        }

        return columns;
    }

    private static List<string?> Row(ReadOnlySpan<byte> body, int columns, Encoding encoding)
    {
        var message = new MessageBody(body);
        var count = message.Int16();
        if (count != columns) throw PostgresProtocolException.Violation("The server sent a row that does not fit its description.");
        var row = new List<string?>(count);
        for (; count > 0; count--)
        {
            var length = message.Int32();
            row.Add(length == -1 ? null : encoding.GetString(message.Bytes(length)));
        }

        return row;
    }

    public async ValueTask DisposeAsync()
    {
        if (_idle)
        {
            try
            {
                await _writer.TerminateAsync(CancellationToken.None);
            }
            catch (Exception exception) when (exception is PostgresProtocolException or ObjectDisposedException)
            {
                // It is gone already, which is all that was wanted.
            }
        }

        await _stream.DisposeAsync();
        _reader.Dispose();
    }
}
