using System.Security.Cryptography;
using FunctionsBackup.Repository.Buffers;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Verification;

/// <summary>Reads whole packs and checks every byte of them. One per worker: not for concurrent use.</summary>
internal sealed class PackVerifier(BackupRepository repository) : IDisposable
{
    private readonly AlignedBuffer _pack = new(PackFormat.MaximumSize);
    private readonly AlignedBuffer _plain = new(PackFormat.MaximumBlock);
    private readonly BlockDecompressor _decompressor = new();

    /// <summary>Checks name, directory, and each block: decryption, decompression, id of every chunk.</summary>
    /// <param name="name">The pack.</param>
    /// <param name="onBadBlock">Null: the first bad block throws. Otherwise called for each; the pack's own hash is then not required.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>What the pack holds.</returns>
    /// <exception cref="DamageException">The pack is damaged.</exception>
    public async ValueTask<WrittenPack> VerifyAsync(string name, Action<PackBlock>? onBadBlock, CancellationToken cancellationToken)
    {
        int read;
        try
        {
            read = await repository.Store.ReadAsync(name, 0, _pack.Memory, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectNotFoundException e)
        {
            throw Damaged(name, "it is missing", e);
        }

        await PackReader.MeetEpochAsync(repository.Store, repository.Keys, _pack.Memory[..read], cancellationToken).ConfigureAwait(false);
        return Verify(name, _pack.GetSpan()[..read], onBadBlock);
    }

    public void Dispose()
    {
        ((IDisposable)_pack).Dispose();
        ((IDisposable)_plain).Dispose();
        _decompressor.Dispose();
    }

    private WrittenPack Verify(string name, Span<byte> bytes, Action<PackBlock>? onBadBlock)
    {
        Span<byte> expected = stackalloc byte[32], actual = stackalloc byte[32];
        if (!PackFormat.TryParseName(name, expected)) throw Damaged(name, "its name is not that of a pack");
        SHA256.HashData(bytes, actual);
        var hashFits = actual.SequenceEqual(expected);
        if (!hashFits && onBadBlock is null) throw Damaged(name, "its bytes do not have the hash that its name states");
        var pack = PackReader.ReadDirectory(repository.Keys, name, bytes);
        using var cipher = PackReader.OpenCipher(repository.Keys, pack.Info);
        using var hasher = repository.Hashers.Rent(pack.Info.Epoch);
        foreach (var block in pack.Blocks)
        {
            if (IsGood(name, cipher, hasher, block, bytes)) continue;
            if (onBadBlock is null) throw Damaged(name, $"its block at {block.Offset} does not hold the chunks that its directory states");
            onBadBlock(block);
        }

        return pack;
    }

    private bool IsGood(string name, PackCipher cipher, HasherPool.Lent hasher, PackBlock block, Span<byte> pack)
    {
        var plain = _plain.GetSpan()[..block.PlainLength];
        try
        {
            BlockCodec.Decode(name, cipher, block.Offset, pack.Slice((int)block.Offset, block.StoredLength), _decompressor, plain);
        }
        catch (DamageException)
        {
            return false;
        }

        foreach (var chunk in block.Chunks)
        {
            if (hasher.Compute(plain[..chunk.Length]) != chunk.Id) return false;
            plain = plain[chunk.Length..];
        }

        return true;
    }

    private static DamageException Damaged(string name, string why, Exception? inner = null) => new(name, $"{name} is damaged: {why}.", inner);
}
