using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Sealing;

/// <summary>
/// Encrypts the messages of one object under its own key: message 0 is the header, message n the n-th frame. The message's number is the
/// nonce; associated with each are the repository, the object's name, its first 64 bytes, the number, whether it is the last, and the
/// frame's prefix.
/// </summary>
internal sealed class SealedCipher : IDisposable
{
    private readonly AesGcm _aes;
    private readonly byte[] _associated;

    public SealedCipher(KeyRing keys, string repositoryId, string name, uint epoch, ReadOnlySpan<byte> fixedPart)
    {
        using var key = keys.DeriveObjectKey(epoch, SealedLayout.SaltOf(fixedPart));
        _aes = new AesGcm(key.Span, SealedLayout.TagSize);
        var fields = new AssociatedData("sealed object", SealedLayout.Version, repositoryId, name).Add(fixedPart).ToArray();
        // Room for number, last flag and prefix.
        _associated = [.. fields, .. new byte[9]];
    }

    /// <summary>Encrypts in place; the tag follows the message.</summary>
    public void Encrypt(Span<byte> messageAndTag, uint number, bool last, uint prefix)
    {
        Span<byte> nonce = stackalloc byte[AesGcmBox.NonceSize];
        Prepare(nonce, number, last, prefix);
        var message = messageAndTag[..^SealedLayout.TagSize];
        _aes.Encrypt(nonce, message, message, messageAndTag[^SealedLayout.TagSize..], _associated);
    }

    /// <summary>Decrypts into <paramref name="plaintext"/>; false if it is not what was encrypted.</summary>
    public bool TryDecrypt(ReadOnlySpan<byte> messageAndTag, Span<byte> plaintext, uint number, bool last, uint prefix)
    {
        Span<byte> nonce = stackalloc byte[AesGcmBox.NonceSize];
        Prepare(nonce, number, last, prefix);
        try
        {
            _aes.Decrypt(nonce, messageAndTag[..^SealedLayout.TagSize], messageAndTag[^SealedLayout.TagSize..], plaintext, _associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _aes.Dispose();

    private void Prepare(Span<byte> nonce, uint number, bool last, uint prefix)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, number);
        var position = _associated.AsSpan(^9..);
        BinaryPrimitives.WriteUInt32LittleEndian(position, number);
        position[4] = last ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(position[5..], prefix);
    }
}
