using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>
/// Reads an RDB as it comes (rdb.c of Redis 8 and Valkey 9): keys one after the other, their values as they are serialized, and its checksum at the end.
/// Not for concurrent use.
/// </summary>
public sealed class RdbReader : IDisposable
{
    /// <summary>The newest version that is known: Redis 8 writes 12, Valkey 9 writes 80 under a name of its own.</summary>
    public const int NewestVersion = 13;

    /// <summary>Values up to here are handed over in memory.</summary>
    public const int InlineLimit = 64 << 10;

    /// <summary>Keys, libraries and fields of the header may be as long as a string of Redis: 512 MB.</summary>
    private const long MaximumString = 512L << 20;

    private readonly RdbInput _input;
    private readonly RdbValueWalker _walker;
    private readonly Func<RdbRecord, ValueTask<IRdbValueSink>> _open;
    private byte[] _key = new byte[256];
    private int _database;
    private bool _isValkey;
    private RdbRecord _record;

    /// <param name="read">Gives the next bytes; 0 at the end.</param>
    /// <param name="open">Makes a place for a value that is large.</param>
    public RdbReader(Func<Memory<byte>, CancellationToken, ValueTask<int>> read, Func<RdbRecord, ValueTask<IRdbValueSink>> open)
    {
        _input = new RdbInput(read, InlineLimit);
        _walker = new RdbValueWalker(_input);
        _open = open;
    }

    /// <summary>As the header says; 0 before it was read.</summary>
    public int Version { get; private set; }

    /// <summary>Fields of the header: <c>redis-ver</c>, <c>used-mem</c>, <c>repl-id</c> and so on.</summary>
    public Dictionary<string, string> Fields { get; } = new(StringComparer.Ordinal);

    /// <summary>Libraries of functions that came so far, as FUNCTION LOAD takes them.</summary>
    public List<byte[]> Functions { get; } = [];

    /// <summary>Data of modules that belong to no key, which are left out.</summary>
    public int ModuleFields { get; private set; }

    /// <summary>Whether the RDB is one of Valkey from 9 on.</summary>
    public bool IsValkey => _isValkey;

    public long Position => _input.Position;

    /// <summary>What comes behind the end.</summary>
    public ValueTask ReadBehindAsync(Memory<byte> bytes, CancellationToken cancellationToken) => _input.ReadAsync(bytes, cancellationToken);

    /// <summary>The next key, or null at the end, when the checksum has been checked.</summary>
    /// <exception cref="RdbFormatException">It is damaged, or has what this version does not know.</exception>
    public async ValueTask<RdbRecord?> NextAsync(CancellationToken cancellationToken)
    {
        if (Version == 0) await ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
        var expiresAt = -1L;
        while (true)
        {
            var code = await _input.ReadByteAsync(cancellationToken).ConfigureAwait(false);
            switch (code)
            {
                case RdbTypes.ExpireTimeMs:
                    await _input.EnsureAsync(8, cancellationToken).ConfigureAwait(false);
                    expiresAt = Math.Max(0, BinaryPrimitives.ReadInt64LittleEndian(_input.Ahead));
                    _input.Advance(8);
                    continue;
                case RdbTypes.ExpireTime:
                    await _input.EnsureAsync(4, cancellationToken).ConfigureAwait(false);
                    expiresAt = BinaryPrimitives.ReadUInt32LittleEndian(_input.Ahead) * 1000L;
                    _input.Advance(4);
                    continue;
                case RdbTypes.Frequency:
                    await _input.SkipAsync(1, cancellationToken).ConfigureAwait(false);
                    continue;
                case RdbTypes.Idle:
                    await _walker.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                case RdbTypes.SelectDb:
                    var database = await _walker.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
                    _database = database <= 1_000_000 ? (int)database : throw Damaged("the number of a database");
                    continue;
                case RdbTypes.ResizeDb:
                    await _walker.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
                    await _walker.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                case RdbTypes.SlotInfo:
                    for (var i = 0; i < 3; i++) await _walker.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                case RdbTypes.Aux:
                    var name = await ReadTextAsync(cancellationToken).ConfigureAwait(false);
                    Fields[name] = await ReadTextAsync(cancellationToken).ConfigureAwait(false);
                    if (Fields.Count > 1000) throw Damaged("the fields of the header");
                    continue;
                case RdbTypes.Function2:
                    Functions.Add((await ReadStringAsync(cancellationToken).ConfigureAwait(false)).ToArray());
                    if (Functions.Count > 10_000) throw Damaged("the libraries of functions");
                    continue;
                case RdbTypes.ModuleAux:
                    ModuleFields++;
                    await _walker.SkipModuleAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                case RdbTypes.End:
                    await CheckEndAsync(cancellationToken).ConfigureAwait(false);
                    return null;
                default:
                    return await ReadRecordAsync(code, expiresAt, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _input.Dispose();

    private async ValueTask<RdbRecord> ReadRecordAsync(byte type, long expiresAt, CancellationToken cancellationToken)
    {
        var key = await ReadStringAsync(cancellationToken).ConfigureAwait(false);
        _record = new RdbRecord { Database = _database, Key = key, Type = type, ExpiresAt = expiresAt };
        _input.Keep(OpenAsync);
        await _walker.SkipValueAsync(type, _isValkey, cancellationToken).ConfigureAwait(false);
        var (bytes, length) = await _input.TakeKeptAsync(cancellationToken).ConfigureAwait(false);
        return _record with { Value = bytes ?? default, ValueLength = length, IsLarge = bytes is null };
    }

    private ValueTask<IRdbValueSink> OpenAsync() => _open(_record);

    private async ValueTask ReadHeaderAsync(CancellationToken cancellationToken)
    {
        await _input.EnsureAsync(9, cancellationToken).ConfigureAwait(false);
        var header = Encoding.Latin1.GetString(_input.Ahead[..9]);
        // REDIS and four digits, or VALKEY and three.
        _isValkey = header.StartsWith("VALKEY", StringComparison.Ordinal);
        if ((!_isValkey && !header.StartsWith("REDIS", StringComparison.Ordinal))
            || !int.TryParse(header.AsSpan(_isValkey ? 6 : 5), NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version == 0)
            throw new RdbFormatException("This is no RDB: it does not begin as one.");
        if (!_isValkey && version > NewestVersion)
            throw new RdbFormatException($"The RDB has version {version}, and {NewestVersion} is the newest that is known; take a newer fbackup, or set components.redis.mode to scan.");
        _input.Advance(9);
        Version = version;
    }

    private async ValueTask CheckEndAsync(CancellationToken cancellationToken)
    {
        if (Version < 5) return;
        var expected = _input.Crc;
        await _input.EnsureAsync(8, cancellationToken).ConfigureAwait(false);
        var written = BinaryPrimitives.ReadUInt64LittleEndian(_input.Ahead);
        _input.Advance(8);
        // Zero: the server was told to write none (rdbchecksum no).
        if (written != 0 && written != expected) throw new RdbFormatException("The RDB is damaged: its checksum is wrong; take it again.");
        HasChecksum = written != 0;
    }

    /// <summary>False at the end: the server writes no checksums (<c>rdbchecksum no</c>), so that nothing could be checked.</summary>
    public bool HasChecksum { get; private set; }

    private async ValueTask<string> ReadTextAsync(CancellationToken cancellationToken) =>
        Encoding.UTF8.GetString((await ReadStringAsync(cancellationToken).ConfigureAwait(false)).Span);

    /// <summary>A string in plain bytes, however it is encoded; good until the next one.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> ReadStringAsync(CancellationToken cancellationToken)
    {
        var (length, encoding) = await _walker.ReadPrefixAsync(cancellationToken).ConfigureAwait(false);
        if (encoding < 0)
        {
            if (length > MaximumString) throw Damaged("a string");
            var plain = await ReadPlainAsync((int)length, cancellationToken).ConfigureAwait(false);
            return plain;
        }

        if (encoding <= RdbValueWalker.Int32)
        {
            var size = 1 << encoding;
            await _input.EnsureAsync(size, cancellationToken).ConfigureAwait(false);
            long number = size switch
            {
                1 => (sbyte)_input.Ahead[0],
                2 => BinaryPrimitives.ReadInt16LittleEndian(_input.Ahead),
                _ => BinaryPrimitives.ReadInt32LittleEndian(_input.Ahead),
            };
            _input.Advance(size);
            number.TryFormat(_key, out var written, default, CultureInfo.InvariantCulture);
            return _key.AsMemory(0, written);
        }

        var stored = await _walker.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        var full = await _walker.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        if (stored > MaximumString || full > MaximumString) throw Damaged("a compressed string");
        var compressed = (await ReadPlainAsync((int)stored, cancellationToken).ConfigureAwait(false)).ToArray();
        if (_key.Length < (int)full) _key = new byte[(int)full];
        return Lzf.TryDecompress(compressed, _key.AsSpan(0, (int)full)) ? _key.AsMemory(0, (int)full) : throw Damaged("a compressed string");
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadPlainAsync(int length, CancellationToken cancellationToken)
    {
        // Not all at once: what only says that it is long must not cost the memory.
        for (var at = 0; at < length;)
        {
            var next = Math.Min(length - at, 1 << 20);
            if (_key.Length < at + next) Array.Resize(ref _key, Math.Max(at + next, (int)Math.Min(length, _key.Length * 2L)));
            await _input.ReadAsync(_key.AsMemory(at, next), cancellationToken).ConfigureAwait(false);
            at += next;
        }

        return _key.AsMemory(0, length);
    }

    private RdbFormatException Damaged(string what) =>
        new($"The RDB is damaged at byte {_input.Position.ToString(CultureInfo.InvariantCulture)}: {what} cannot be right; take it again.");
}
