using System.Globalization;
using FunctionsBackup.Components.Redis.Protocol;

namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>The connections of a restore: some to one server, or one to each master of a cluster.</summary>
internal sealed class RestorePipes : IAsyncDisposable
{
    private const int Slots = 16384;

    private readonly List<RestorePipe> _pipes = [];
    private readonly RestorePipe?[]? _bySlot;
    private int _next;

    private RestorePipes(bool isCluster) => _bySlot = isCluster ? new RestorePipe?[Slots] : null;

    public static async ValueTask<RestorePipes> OpenAsync(
        RedisAddress address, bool isCluster, int count, Action<int, ReadOnlyMemory<byte>, string> onFailure, CancellationToken cancellationToken)
    {
        var pipes = new RestorePipes(isCluster);
        try
        {
            if (isCluster) await pipes.OpenClusterAsync(address, onFailure, cancellationToken).ConfigureAwait(false);
            else
                for (var i = 0; i < Math.Clamp(count, 1, 8); i++)
                    pipes._pipes.Add(new RestorePipe(await RedisConnection.OpenAsync(address, cancellationToken).ConfigureAwait(false), onFailure));
            return pipes;
        }
        catch
        {
            await pipes.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The connection that a key goes through.</summary>
    /// <exception cref="RedisException">No node of the cluster has its slot.</exception>
    public RestorePipe For(ReadOnlySpan<byte> key)
    {
        if (_bySlot is null) return _pipes[_next++ % _pipes.Count];
        var slot = HashSlot.Of(key);
        return _bySlot[slot] ?? throw new RedisException($"No node of the cluster has slot {slot}; make the cluster whole (CLUSTER INFO) and restore again with --overwrite.");
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        foreach (var pipe in _pipes) await pipe.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pipe in _pipes) await pipe.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>CLUSTER SLOTS: each range with its master first.</summary>
    private async ValueTask OpenClusterAsync(RedisAddress address, Action<int, ReadOnlyMemory<byte>, string> onFailure, CancellationToken cancellationToken)
    {
        var control = await RedisConnection.OpenAsync(address, cancellationToken).ConfigureAwait(false);
        await using (control.ConfigureAwait(false))
        {
            var byAddress = new Dictionary<string, RestorePipe>(StringComparer.Ordinal);
            var ranges = await control.CallAsync(cancellationToken, "CLUSTER", "SLOTS").ConfigureAwait(false);
            foreach (var range in ranges.Items)
            {
                if (range.Items is not [var first, var last, { Items: [var host, var port, ..] }, ..] || first.Integer is < 0 or >= Slots || last.Integer is < 0 or >= Slots)
                    throw RedisException.Nonsense(control.Server, "no slots");
                var name = host.IsNil || host.Text.Length == 0 ? address.Host : host.Text; // the one that was asked may not know its own
                var node = address with { Host = name, Port = (int)port.Integer };
                var key = string.Create(CultureInfo.InvariantCulture, $"{node.Host}:{node.Port}");
                if (!byAddress.TryGetValue(key, out var pipe))
                {
                    pipe = new RestorePipe(await RedisConnection.OpenAsync(node, cancellationToken).ConfigureAwait(false), onFailure);
                    byAddress.Add(key, pipe);
                    _pipes.Add(pipe);
                }

                for (var slot = first.Integer; slot <= last.Integer; slot++) _bySlot![slot] = pipe;
            }
        }
    }
}
