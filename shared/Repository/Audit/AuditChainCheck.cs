namespace FunctionsBackup.Repository.Audit;

/// <summary>Checks one chain, segment after segment. Each break counts once: what follows from it does not.</summary>
internal sealed class AuditChainCheck(string writer)
{
    private const int HashSize = 32;

    private readonly List<(long Sequence, AuditBreak Break)> _breaks = [];
    private readonly List<byte[]> _pages = [];
    private AuditSegment? _last;
    private AuditBreak? _writerBreak;
    private KnownHead? _beyond;
    private DateTimeOffset? _firstAt;
    private long _end, _segments, _entries;
    private bool _predecessorKnown = true;

    /// <summary>Hashes per page.</summary>
    private const int PageHashes = 1024;

    public string Writer { get; } = writer;

    /// <summary>Whether there is any segment, whole or not.</summary>
    public bool IsThere => _end > 0;

    /// <summary>In order of the segments.</summary>
    public IEnumerable<AuditBreak> Breaks
    {
        get
        {
            if (_writerBreak is not null) yield return _writerBreak;
            var missing = Missing();
            foreach (var (_, found) in _breaks.OrderBy(b => b.Sequence)) yield return found;
            if (missing is not null) yield return missing;
        }
    }

    public void AddWriterBreak(AuditBreak found) => _writerBreak = found;

    /// <summary>A segment that its writer signed. False: it does not hold where it is.</summary>
    public bool Add(AuditSegment segment)
    {
        Arrive(segment.Head.Sequence);
        var expected = _last?.Head.Hash ?? AuditHead.NoHash;
        var holds = !_predecessorKnown || segment.Statement.Previous == expected;
        if (!holds)
        {
            _breaks.Add((segment.Head.Sequence, new AuditBreak(segment.Name, _last is null
                ? $"{segment.Name} is not the first of its chain, although its number is."
                : $"{segment.Name} does not follow the segment before it: one of the two was put in the place of another.")));
        }

        Keep(segment.Head.Sequence, segment.Head.Hash);
        _last = segment;
        _predecessorKnown = true;
        _firstAt ??= segment.Statement.SealedAt;
        _segments++;
        _entries += segment.Statement.Entries;
        return holds;
    }

    /// <summary>An object that is not what its writer made.</summary>
    public void AddDamaged(long sequence, string problem)
    {
        Arrive(sequence);
        _breaks.Add((sequence, new AuditBreak(AuditNames.SegmentOf(Writer, sequence), problem)));
        _predecessorKnown = false;
    }

    /// <summary>After all segments: whether the chain has a head that somebody has seen.</summary>
    public void Check(KnownHead known)
    {
        var head = known.Head;
        if (head.Sequence > _end)
        {
            if (_beyond is null || _beyond.Head.Sequence < head.Sequence) _beyond = known;
            return;
        }

        // Where there is none, a break says so already.
        if (Find(head.Sequence) is not { } hash || hash == head.Hash || _breaks.Exists(b => b.Sequence == head.Sequence)) return;
        var name = AuditNames.SegmentOf(Writer, head.Sequence);
        _breaks.Add((head.Sequence, new AuditBreak(name, $"{name} is another segment than the one that {known.Source} has seen.")));
    }

    public AuditChainReport ToReport() => new()
    {
        Writer = Writer,
        Host = _last?.Statement.Host,
        Segments = _segments,
        Entries = _entries,
        FirstAt = _firstAt,
        LastAt = _last?.Statement.SealedAt,
        Head = _last?.Head,
    };

    private AuditBreak? Missing()
    {
        if (_beyond is not { } beyond) return null;
        var name = AuditNames.SegmentOf(Writer, _end + 1);
        return new AuditBreak(name, beyond.Head.Sequence == _end + 1
            ? $"{name} is missing: {beyond.Source} has seen it."
            : $"{name} and what follows it are missing: {beyond.Source} has seen the chain up to {beyond.Head.Sequence}.");
    }

    private void Arrive(long sequence)
    {
        if (sequence != _end + 1)
        {
            var name = AuditNames.SegmentOf(Writer, _end + 1);
            var more = sequence - _end - 1;
            _breaks.Add((_end + 1, new AuditBreak(name, more == 1
                ? $"{name} is missing."
                : $"{name} is missing, and so are the {more - 1} after it.")));
            _predecessorKnown = false;
        }

        _end = sequence;
    }

    private void Keep(long sequence, string hash)
    {
        var page = (int)((sequence - 1) / PageHashes);
        // A number far beyond the last is no reason to take memory for all between.
        if (page > _pages.Count + PageHashes) return;
        while (_pages.Count <= page) _pages.Add(_pages.Count == page ? new byte[PageHashes * HashSize] : []);
        if (_pages[page].Length == 0) _pages[page] = new byte[PageHashes * HashSize];
        Convert.FromHexString(hash, _pages[page].AsSpan((int)((sequence - 1) % PageHashes) * HashSize, HashSize), out _, out _);
    }

    private string? Find(long sequence)
    {
        var page = (sequence - 1) / PageHashes;
        if (page >= _pages.Count || _pages[(int)page].Length == 0) return null;
        var hash = _pages[(int)page].AsSpan((int)((sequence - 1) % PageHashes) * HashSize, HashSize);
        return hash.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(hash) : null;
    }
}
