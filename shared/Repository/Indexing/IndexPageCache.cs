using System.Diagnostics.CodeAnalysis;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>The pages of all segments that were used last, up to a number of bytes. Safe for concurrent use.</summary>
internal sealed class IndexPageCache(int capacityBytes)
{
    public const int DefaultCapacity = 32 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<(IndexSegment, int), LinkedListNode<Page>> _pages = [];
    private readonly LinkedList<Page> _order = new();
    private long _bytes;

    public bool TryGet(IndexSegment segment, int page, [NotNullWhen(true)] out byte[]? entries)
    {
        lock (_gate)
        {
            entries = null;
            if (!_pages.TryGetValue((segment, page), out var node)) return false;
            if (_order.First != node)
            {
                _order.Remove(node);
                _order.AddFirst(node);
            }

            entries = node.Value.Entries;
            return true;
        }
    }

    public void Add(IndexSegment segment, int page, byte[] entries)
    {
        lock (_gate)
        {
            if (_pages.ContainsKey((segment, page))) return;
            _pages.Add((segment, page), _order.AddFirst(new Page(segment, page, entries)));
            _bytes += entries.Length;
            while (_bytes > capacityBytes && _order.Last is { } last)
            {
                _order.RemoveLast();
                _pages.Remove((last.Value.Segment, last.Value.Number));
                _bytes -= last.Value.Entries.Length;
            }
        }
    }

    private sealed record Page(IndexSegment Segment, int Number, byte[] Entries);
}
