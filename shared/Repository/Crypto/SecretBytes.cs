using System.Security.Cryptography;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>Key material: pinned, so that the collector leaves no copies behind, and overwritten with zeros when disposed.</summary>
public sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes;
    private bool _disposed;

    private SecretBytes(int length) => _bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);

    public int Length => _bytes.Length;

    /// <exception cref="ObjectDisposedException">The secret was wiped already.</exception>
    public ReadOnlySpan<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    public static SecretBytes Random(int length)
    {
        var secret = new SecretBytes(length);
        RandomNumberGenerator.Fill(secret._bytes);
        return secret;
    }

    /// <summary>Copies <paramref name="source"/>; wiping the source is the caller's.</summary>
    public static SecretBytes Copy(ReadOnlySpan<byte> source)
    {
        var secret = new SecretBytes(source.Length);
        source.CopyTo(secret._bytes);
        return secret;
    }

    /// <summary>Lets <paramref name="fill"/> write every byte of a new secret.</summary>
    public static SecretBytes Create<TState>(int length, TState state, System.Buffers.SpanAction<byte, TState> fill)
        where TState : allows ref struct
    {
        var secret = new SecretBytes(length);
        try
        {
            fill(secret._bytes, state);
            return secret;
        }
        catch
        {
            secret.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_bytes);
    }

    /// <summary>Never the content.</summary>
    public override string ToString() => $"{_bytes.Length} secret bytes";
}
