using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Packing;

/// <summary>Reads what a pack says of itself: header and directory. Used where the index is not to be trusted: verification and repair.</summary>
internal static class PackReader
{
    /// <summary>Reads and checks the directory with three short reads.</summary>
    /// <exception cref="DamageException">The pack is not whole.</exception>
    public static async ValueTask<WrittenPack> ReadDirectoryAsync(
        IObjectStore store, RepositoryKeys keys, ObjectInfo pack, CancellationToken cancellationToken)
    {
        var sha256 = new byte[32];
        if (!PackFormat.TryParseName(pack.Name, sha256)) throw Damaged(pack.Name, "its name is not that of a pack");
        if (pack.Size is < PackFormat.HeaderSize + PackFormat.TrailerSize or > PackFormat.MaximumSize)
            throw Damaged(pack.Name, $"its size is {pack.Size} bytes");
        var size = (int)pack.Size;
        var header = await ReadAsync(store, pack.Name, 0, PackFormat.HeaderSize, cancellationToken).ConfigureAwait(false);
        var trailer = await ReadAsync(store, pack.Name, size - PackFormat.TrailerSize, PackFormat.TrailerSize, cancellationToken)
            .ConfigureAwait(false);
        var stored = DirectoryLength(pack.Name, trailer, size);
        var directory = await ReadAsync(store, pack.Name, size - PackFormat.TrailerSize - stored, stored, cancellationToken).ConfigureAwait(false);
        await MeetEpochAsync(store, keys, header, cancellationToken).ConfigureAwait(false);
        return Decode(keys, pack.Name, sha256, header, directory, size);
    }

    /// <summary>Keys may have been rotated since they were unlocked: call it before a pack that is in memory is decoded.</summary>
    public static ValueTask MeetEpochAsync(
        IObjectStore store, RepositoryKeys keys, ReadOnlyMemory<byte> pack, CancellationToken cancellationToken) =>
        pack.Length < PackFormat.HeaderSize
            ? ValueTask.CompletedTask // decoding says what is wrong
            : keys.MeetEpochAsync(store, BinaryPrimitives.ReadUInt32LittleEndian(pack.Span[8..]), cancellationToken);

    /// <summary>What <see cref="ReadDirectoryAsync"/> gives, from a pack that is in memory as a whole.</summary>
    public static WrittenPack ReadDirectory(RepositoryKeys keys, string name, Span<byte> pack)
    {
        var sha256 = new byte[32];
        if (!PackFormat.TryParseName(name, sha256)) throw Damaged(name, "its name is not that of a pack");
        if (pack.Length < PackFormat.HeaderSize + PackFormat.TrailerSize) throw Damaged(name, $"its size is {pack.Length} bytes");
        var stored = DirectoryLength(name, pack[^PackFormat.TrailerSize..], pack.Length);
        var directory = pack.Slice(pack.Length - PackFormat.TrailerSize - stored, stored).ToArray();
        return Decode(keys, name, sha256, pack[..PackFormat.HeaderSize], directory, pack.Length);
    }

    public static PackCipher OpenCipher(RepositoryKeys keys, PackInfo pack)
    {
        if (!keys.HasEpoch(pack.Epoch))
            throw new DamageException(
                pack.Name, $"{pack.Name} was encrypted with epoch {pack.Epoch}, whose key this repository does not have.");
        return new PackCipher(keys, pack.Kind, pack.Epoch, pack.Salt);
    }

    private static int DirectoryLength(string name, ReadOnlySpan<byte> trailer, int size)
    {
        var stored = BinaryPrimitives.ReadInt32LittleEndian(trailer);
        if (!trailer[12..].SequenceEqual(PackFormat.EndMagic) || stored < PackFormat.TagSize
            || stored > size - PackFormat.HeaderSize - PackFormat.TrailerSize
            || BinaryPrimitives.ReadInt32LittleEndian(trailer[4..]) != stored - PackFormat.TagSize)
            throw Damaged(name, "its end is not that of a pack");
        return stored;
    }

    private static WrittenPack Decode(RepositoryKeys keys, string name, byte[] sha256, ReadOnlySpan<byte> header, Span<byte> directory, int size)
    {
        var (kind, epoch) = PackFormat.ReadHeader(name, header);
        var info = new PackInfo(sha256, header[12..].ToArray(), kind, epoch, size);
        using var cipher = OpenCipher(keys, info);
        var offset = size - PackFormat.TrailerSize - directory.Length;
        try
        {
            var plain = directory[..^PackFormat.TagSize];
            cipher.Open(PackPart.Directory, (uint)offset, directory, plain);
            return new WrittenPack(info, PackDirectory.Decode(plain, offset));
        }
        catch (Exception e) when (e is CryptographicException or InvalidDataException)
        {
            throw Damaged(name, "its directory cannot be read", e);
        }
    }

    private static async ValueTask<byte[]> ReadAsync(IObjectStore store, string name, long offset, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        try
        {
            if (await store.ReadAsync(name, offset, bytes, cancellationToken).ConfigureAwait(false) == length) return bytes;
        }
        catch (ObjectNotFoundException e)
        {
            throw Damaged(name, "it is missing", e);
        }

        throw Damaged(name, "it ends too early");
    }

    private static DamageException Damaged(string name, string why, Exception? inner = null) =>
        new(name, $"{name} is damaged: {why}; run 'fbackup repository repair'.", inner);
}
