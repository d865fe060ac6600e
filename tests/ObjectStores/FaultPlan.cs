using System.Collections.Concurrent;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>
/// Faults of all kinds at a third of the requests, the same for the same seed and order of requests, but never more than three times in a
/// row for the same method and address, so that a store that tries eight times must succeed.
/// </summary>
internal sealed class FaultPlan(int seed)
{
    private static readonly HttpFault[] Kinds = [.. Enum.GetValues<HttpFault>().Where(f => f != HttpFault.None)];

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, int> _inARow = [];
    private readonly ConcurrentDictionary<HttpFault, int> _counts = new();

    public IReadOnlyDictionary<HttpFault, int> Counts => _counts;

    public HttpFault Choose(ProxiedRequest request)
    {
        lock (_random)
        {
            var key = $"{request.Method} {request.Target.Split('?')[0]}";
            var inARow = _inARow.GetValueOrDefault(key);
            if (inARow == 3 || _random.Next(3) != 0)
            {
                _inARow[key] = 0;
                return HttpFault.None;
            }

            _inARow[key] = inARow + 1;
            var fault = Kinds[_random.Next(Kinds.Length)];
            _counts.AddOrUpdate(fault, 1, (_, n) => n + 1);
            return fault;
        }
    }
}
