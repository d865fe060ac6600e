using System.Buffers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>All bytes of one object, in a buffer that is given back by disposing.</summary>
/// <remarks>A store that cannot read one object, and is otherwise well, has a damaged object: <see cref="IsDamage"/>.</remarks>
internal sealed class ObjectBytes : IDisposable
{
    /// <summary>No object of a repository is larger: a sealed body of 1 GiB with its frames.</summary>
    private const long Maximum = (1L << 30) + (1 << 20);

    private byte[]? _buffer;
    private readonly int _length;

    private ObjectBytes(byte[] buffer, int length) => (_buffer, _length) = (buffer, length);

    public ReadOnlyMemory<byte> Memory => (_buffer ?? throw new ObjectDisposedException(nameof(ObjectBytes))).AsMemory(0, _length);

    /// <summary>Reads an object; null: it is not there (any more), or too large to be one of ours.</summary>
    /// <param name="store">Where.</param>
    /// <param name="name">Which.</param>
    /// <param name="size">As listed; if it has another one now, it counts as it is.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<ObjectBytes?> ReadAsync(IObjectStore store, string name, long? size, CancellationToken cancellationToken)
    {
        if (size is null)
        {
            if (await store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not { } found) return null;
            size = found.Size;
        }

        if (size > Maximum) return null;
        // One byte more shows whether it is longer than was said.
        var buffer = ArrayPool<byte>.Shared.Rent((int)size + 1);
        try
        {
            var length = await store.ReadAsync(name, 0, buffer.AsMemory(0, (int)size + 1), cancellationToken).ConfigureAwait(false);
            return new ObjectBytes(buffer, length);
        }
        catch (ObjectNotFoundException)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return null;
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <summary>Whether a failed read says something of the object, as a bad sector does, and not of the store.</summary>
    public static bool IsDamage(StoreException error) =>
        !error.IsTransient && error is not (StoreAccessException or StoreFullException or StoreUnavailableException) && error.GetType() == typeof(StoreException);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
    }
}
