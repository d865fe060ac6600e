using System.Buffers.Binary;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Layers;

/// <summary>
/// The fingerprints of a snapshot, over all its layers: group by group of keys with one hash, in the order of hashes. The newest layer that has a group
/// says what it is.
/// </summary>
internal sealed class Fingerprints : IAsyncDisposable
{
    /// <summary>Hash and digest.</summary>
    public const int Size = 8 + LayerFormat.DigestSize;

    private readonly Layer[] _layers;

    private Fingerprints(Layer[] layers) => _layers = layers;

    /// <param name="repository">Where they are.</param>
    /// <param name="layers">The oldest first.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<Fingerprints> OpenAsync(BackupRepository repository, IEnumerable<ContentRef> layers, CancellationToken cancellationToken)
    {
        var opened = layers.Select(l => new Layer(repository.OpenContent(l))).ToArray();
        foreach (var layer in opened) await layer.MoveAsync(cancellationToken).ConfigureAwait(false);
        return new Fingerprints(opened);
    }

    /// <summary>The hash that comes next; null at the end.</summary>
    public ulong? Next
    {
        get
        {
            ulong? next = null;
            foreach (var layer in _layers)
                if (layer.Hash is { } hash && !(hash >= next)) next = hash;
            return next;
        }
    }

    /// <summary>Takes the next group.</summary>
    /// <param name="digests">Gets the digests of its keys, in order; none: it was removed.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask TakeAsync(List<UInt128> digests, CancellationToken cancellationToken)
    {
        digests.Clear();
        var next = Next!.Value;
        var isDecided = false;
        for (var i = _layers.Length - 1; i >= 0; i--)
        {
            var layer = _layers[i];
            if (layer.Hash != next) continue;
            while (layer.Hash == next)
            {
                if (!isDecided && layer.Digest != 0) digests.Add(layer.Digest);
                await layer.MoveAsync(cancellationToken).ConfigureAwait(false);
            }

            isDecided = true;
        }

        digests.Sort();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var layer in _layers) await layer.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class Layer(Stream stream) : IAsyncDisposable
    {
        private readonly byte[] _buffer = new byte[Size * 2048];
        private int _at, _end;

        public ulong? Hash { get; private set; }

        public UInt128 Digest { get; private set; }

        public async ValueTask MoveAsync(CancellationToken cancellationToken)
        {
            if (_at == _end)
            {
                _end = await stream.ReadAtLeastAsync(_buffer, _buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                _at = 0;
                if (_end % Size != 0) throw new DamageException("layers", "The fingerprints of a snapshot have an impossible length.");
            }

            if (_end == 0)
            {
                Hash = null;
                return;
            }

            Hash = BinaryPrimitives.ReadUInt64BigEndian(_buffer.AsSpan(_at));
            Digest = BinaryPrimitives.ReadUInt128BigEndian(_buffer.AsSpan(_at + 8));
            _at += Size;
        }

        public ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
