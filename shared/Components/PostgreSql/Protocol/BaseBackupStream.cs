using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>How BASE_BACKUP is asked for.</summary>
/// <param name="Label">Goes into <c>backup_label</c>.</param>
/// <param name="FastCheckpoint">Checkpoint at once instead of spread out.</param>
/// <param name="Incremental">Only what changed since the manifest that was uploaded (PostgreSQL 17 and later).</param>
public sealed record BaseBackupRequest(string Label, bool FastCheckpoint, bool Incremental = false)
{
    /// <summary>
    /// The command in the grammar of that server: an option list since 15, words before. WAL is fetched apart, so the server need not wait
    /// for its archiver; pages are checked by us, so it need not check them.
    /// </summary>
    /// <param name="serverVersion"><c>server_version_num</c>.</param>
    public string ToCommand(int serverVersion)
    {
        var label = ReplicationConnection.Quote(Label);
        if (serverVersion < 150000)
            return $"BASE_BACKUP LABEL {label} PROGRESS{(FastCheckpoint ? " FAST" : "")} NOWAIT TABLESPACE_MAP NOVERIFY_CHECKSUMS MANIFEST 'yes'";
        return $"BASE_BACKUP (LABEL {label}, PROGRESS true, CHECKPOINT '{(FastCheckpoint ? "fast" : "spread")}', WAIT false, TABLESPACE_MAP true, "
            + $"VERIFY_CHECKSUMS false, MANIFEST 'yes'{(Incremental ? ", INCREMENTAL true" : "")})";
    }
}

/// <summary>What an archive within the stream holds.</summary>
public enum BaseBackupArchiveKind
{
    /// <summary>A tar of the data directory.</summary>
    DataDirectory,

    /// <summary>A tar of one tablespace.</summary>
    Tablespace,

    /// <summary>The backup manifest, as it is.</summary>
    Manifest,
}

/// <summary>One archive of the stream.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Tablespace">OID, for <see cref="BaseBackupArchiveKind.Tablespace"/>.</param>
public readonly record struct BaseBackupArchive(BaseBackupArchiveKind Kind, uint Tablespace);

/// <summary>
/// A running BASE_BACKUP (PostgreSQL manual, 55.4): gives its archives one after the other, each as a stream of pieces. Servers before 15
/// send a copy stream per archive, later ones a single one whose messages begin with a letter.
/// </summary>
public sealed class BaseBackupStream
{
    private const byte NewArchive = (byte)'n';
    private const byte ManifestBegins = (byte)'m';
    private const byte ArchiveData = (byte)'d';
    private const byte Progress = (byte)'p';

    private readonly ReplicationConnection _connection;
    private readonly bool _single;
    private readonly Queue<BaseBackupArchive> _expected = [];
    private bool _inCopy;
    private bool _inMessage;
    private BaseBackupArchive? _pending;

    private BaseBackupStream(ReplicationConnection connection, bool single) => (_connection, _single) = (connection, single);

    /// <summary>Where replay of this backup begins.</summary>
    public Lsn StartLsn { get; private init; }

    public uint Timeline { get; private init; }

    public IReadOnlyList<PostgresTablespace> Tablespaces { get; private init; } = [];

    /// <summary>Bytes that the server expects to send, as it estimated at the start.</summary>
    public long EstimatedBytes { get; private init; }

    /// <summary>Where the copy is consistent; known once <see cref="NextArchiveAsync"/> gave null.</summary>
    public Lsn StopLsn { get; private set; }

    /// <exception cref="PostgresProtocolException">The server refuses.</exception>
    public static async ValueTask<BaseBackupStream> StartAsync(
        ReplicationConnection connection, int serverVersion, BaseBackupRequest request, CancellationToken cancellationToken)
    {
        await connection.SendAsync(request.ToCommand(serverVersion), cancellationToken);
        var (start, timeline) = await ReadPositionAsync(connection, cancellationToken);
        if (await connection.NextAsync(cancellationToken) != Backend.RowDescription)
            throw PostgresProtocolException.Violation("The server did not list its tablespaces.");
        var list = await connection.ReadResultAsync(cancellationToken);

        var tablespaces = new List<PostgresTablespace>();
        var expected = new List<BaseBackupArchive>();
        var kilobytes = 0L;
        foreach (var row in list.Rows)
        {
            if (row.Count < 2) throw PostgresProtocolException.Violation("The server's list of tablespaces has too few columns.");
            if (row.Count > 2 && long.TryParse(row[2], NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                kilobytes += Math.Min(size, long.MaxValue >> 24);
            if (row[0] is not { } oidText)
            {
                expected.Add(new BaseBackupArchive(BaseBackupArchiveKind.DataDirectory, 0));
                continue;
            }

            var oid = ParseOid(oidText);
            tablespaces.Add(new PostgresTablespace(oid, row[1] ?? ""));
            expected.Add(new BaseBackupArchive(BaseBackupArchiveKind.Tablespace, oid));
        }

        expected.Add(new BaseBackupArchive(BaseBackupArchiveKind.Manifest, 0));
        var stream = new BaseBackupStream(connection, single: serverVersion >= 150000)
        {
            StartLsn = start,
            Timeline = timeline,
            Tablespaces = tablespaces,
            EstimatedBytes = kilobytes << 10,
        };
        if (!stream._single)
        {
            foreach (var archive in expected) stream._expected.Enqueue(archive);
        }
        else
        {
            await stream.ExpectCopyAsync(cancellationToken);
        }

        return stream;
    }

    /// <summary>Goes on to the next archive, skipping what was not read of this one; null after the last.</summary>
    public async ValueTask<BaseBackupArchive?> NextArchiveAsync(CancellationToken cancellationToken)
    {
        while (_inCopy && _pending is null)
        {
            if ((await ReadAsync(cancellationToken)).IsEmpty) break;
        }

        if (_pending is { } next)
        {
            _pending = null;
            return next;
        }

        if (!_single && _expected.TryDequeue(out var archive))
        {
            await ExpectCopyAsync(cancellationToken);
            return archive;
        }

        (StopLsn, _) = await ReadPositionAsync(_connection, cancellationToken);
        while (await _connection.NextAsync(cancellationToken) != Backend.ReadyForQuery) await _connection.Reader.BodyAsync(cancellationToken);
        return null;
    }

    /// <summary>The next bytes of the current archive, valid until the next call; empty at its end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        while (_inCopy && _pending is null)
        {
            if (_inMessage)
            {
                var piece = await _connection.Reader.PieceAsync(cancellationToken);
                if (!piece.IsEmpty) return piece;
                _inMessage = false;
            }

            switch (await _connection.NextAsync(cancellationToken))
            {
                case Backend.CopyData when !_single:
                    _inMessage = true;
                    break;
                case Backend.CopyData:
                    await ReadKindAsync(cancellationToken);
                    break;
                case Backend.CopyDone:
                    _inCopy = false;
                    break;
                case var type:
                    throw PostgresProtocolException.Violation($"The server sent an unexpected message ({(char)type}) within a base backup.");
            }
        }

        return ReadOnlyMemory<byte>.Empty;
    }

    // PostgreSQL manual, 55.4: the first byte of each message says what follows.
    private async ValueTask ReadKindAsync(CancellationToken cancellationToken)
    {
        var reader = _connection.Reader;
        var kind = await reader.FirstByteAsync(cancellationToken);
        switch (kind)
        {
            case ArchiveData:
                _inMessage = true;
                break;
            case Progress:
                await reader.BodyAsync(cancellationToken);
                break;
            case ManifestBegins:
                await reader.BodyAsync(cancellationToken);
                _pending = new BaseBackupArchive(BaseBackupArchiveKind.Manifest, 0);
                break;
            case NewArchive:
                _pending = ReadArchive((await reader.BodyAsync(cancellationToken)).Span);
                break;
            default:
                throw PostgresProtocolException.Violation("The server sent a message of unknown kind within a base backup.");
        }
    }

    // Archive file name (base.tar, 16384.tar), then the tablespace's location.
    private BaseBackupArchive ReadArchive(ReadOnlySpan<byte> body)
    {
        var name = new MessageBody(body).Text();
        if (name == "base.tar") return new BaseBackupArchive(BaseBackupArchiveKind.DataDirectory, 0);
        if (!name.EndsWith(".tar", StringComparison.Ordinal)) throw PostgresProtocolException.Violation("The server named an archive that is not a tar.");
        var oid = ParseOid(name[..^4]);
        return Tablespaces.Any(tablespace => tablespace.Oid == oid)
            ? new BaseBackupArchive(BaseBackupArchiveKind.Tablespace, oid)
            : throw PostgresProtocolException.Violation("The server sent a tablespace that it had not listed.");
    }

    private async ValueTask ExpectCopyAsync(CancellationToken cancellationToken)
    {
        if (await _connection.NextAsync(cancellationToken) != Backend.CopyOutResponse)
            throw PostgresProtocolException.Violation("The server did not start its copy stream.");
        await _connection.Reader.BodyAsync(cancellationToken);
        _inCopy = true;
    }

    private static async ValueTask<(Lsn Position, uint Timeline)> ReadPositionAsync(
        ReplicationConnection connection, CancellationToken cancellationToken)
    {
        if (await connection.NextAsync(cancellationToken) != Backend.RowDescription)
            throw PostgresProtocolException.Violation("The server did not say where the backup is in the WAL.");
        var result = await connection.ReadResultAsync(cancellationToken);
        return result.Rows is [[{ } lsnText, { } timelineText, ..]] && Lsn.TryParse(lsnText, out var lsn)
            && uint.TryParse(timelineText, NumberStyles.None, CultureInfo.InvariantCulture, out var timeline)
            ? (lsn, timeline)
            : throw PostgresProtocolException.Violation("The server gave a position in the WAL that cannot be read.");
    }

    private static uint ParseOid(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var oid) && oid > 0
            ? oid
            : throw PostgresProtocolException.Violation("The server gave a tablespace an identifier that is not a number.");

    /// <summary>Reads the rest of the current archive into memory: for the manifest.</summary>
    /// <exception cref="PostgresProtocolException">It is longer than <paramref name="limit"/> bytes.</exception>
    public async ValueTask<byte[]> ReadAllAsync(int limit, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        for (var piece = await ReadAsync(cancellationToken); !piece.IsEmpty; piece = await ReadAsync(cancellationToken))
        {
            if (bytes.Length + piece.Length > limit) throw PostgresProtocolException.Violation("The server sent a manifest that is too long.");
            bytes.Write(piece.Span);
        }

        return bytes.ToArray();
    }
}
