namespace FunctionsBackup.Components.Files.Walking;

/// <summary>Collects warnings from several threads; the first thousand are kept, the rest counted, so that memory stays bounded.</summary>
public sealed class WarningList(int capacity = WarningList.DefaultCapacity)
{
    public const int DefaultCapacity = 1000;

    private readonly Lock _lock = new();
    private readonly List<string> _warnings = [];
    private long _left;

    public void Add(string sentence)
    {
        lock (_lock)
        {
            if (_warnings.Count < capacity) _warnings.Add(sentence);
            else _left++;
        }
    }

    /// <summary>What was collected so far, with a last line that counts what was left out.</summary>
    public IReadOnlyList<string> ToList()
    {
        lock (_lock)
        {
            return _left == 0 ? [.. _warnings] : [.. _warnings, $"{_left} more warnings are not listed."];
        }
    }
}
