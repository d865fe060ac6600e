using System.Buffers;

namespace FunctionsBackup.Components.Redis.Journal;

/// <summary>Bytes of the stream that are not in the repository yet, with the times at which they came.</summary>
internal sealed class JournalBuffer : IDisposable
{
    /// <summary>When it is full, it is sealed before its time.</summary>
    public const int Capacity = 8 << 20;

    private const long TimeStep = 250;
    private const int MaximumTimes = 1000;

    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(Capacity);
    private readonly List<long[]> _times = [];
    private int _length;

    /// <summary>Of the stream; empty: not known yet.</summary>
    public string ReplicationId { get; private set; } = "";

    /// <summary>The id before, until a part says so.</summary>
    public string? Previous { get; private set; }

    /// <summary>Bytes of the stream that are in the repository.</summary>
    public long Sealed { get; private set; }

    /// <summary>Bytes of the stream that have come.</summary>
    public long Received => Sealed + _length;

    public bool HasNews => _length > 0;

    public bool IsFull => _length == Capacity;

    public ReadOnlyMemory<byte> News => _bytes.AsMemory(0, _length);

    public JournalPartHeader Header => new([.. _times], Previous);

    public JournalPart Part => new(ReplicationId, Sealed, Received, DateTimeOffset.FromUnixTimeMilliseconds(_times[^1][0]));

    /// <summary>Begins a stream elsewhere; nothing may wait.</summary>
    public void Begin(string replicationId, long offset) => (ReplicationId, Previous, Sealed) = (replicationId, null, offset);

    /// <summary>The same stream has got another id (failover); nothing may wait.</summary>
    public void Rename(string replicationId) => (Previous, ReplicationId) = (ReplicationId, replicationId);

    /// <summary>Takes as many as there is room for.</summary>
    /// <returns>How many those are.</returns>
    public int Add(ReadOnlySpan<byte> bytes, DateTimeOffset now)
    {
        var count = Math.Min(bytes.Length, Capacity - _length);
        bytes[..count].CopyTo(_bytes.AsSpan(_length));
        _length += count;
        // A clock that is put back must not make earlier bytes later than later ones.
        var time = Math.Max(now.ToUnixTimeMilliseconds(), _times.Count > 0 ? _times[^1][0] : 0);
        // The last pair always says when the last byte came; the one before it is kept if it is not of the same moment.
        if (_times.Count > 1 && (time - _times[^2][0] < TimeStep || _times.Count >= MaximumTimes)) _times[^1] = [time, _length];
        else _times.Add([time, _length]);
        return count;
    }

    public void MarkSealed()
    {
        Sealed += _length;
        _length = 0;
        _times.Clear();
        Previous = null;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_bytes, clearArray: true);
}
