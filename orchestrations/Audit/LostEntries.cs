namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>Counts the entries that could not be kept, so that at least their number can be recorded. Safe for concurrent use.</summary>
internal sealed class LostEntries
{
    private readonly Lock _lock = new();
    private DateTimeOffset _since;
    private int _count;

    public void Add(DateTimeOffset at) => Return(1, at);

    /// <summary>How many, and since when; they count as told.</summary>
    public (int Count, DateTimeOffset Since) Take()
    {
        lock (_lock)
        {
            var taken = (_count, _since);
            _count = 0;
            return taken;
        }
    }

    /// <summary>They could not be told of after all.</summary>
    public void Return(int count, DateTimeOffset since)
    {
        lock (_lock)
        {
            if (_count == 0 || since < _since) _since = since;
            _count += count;
        }
    }
}
