using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Writers;

/// <summary>
/// The key pair on the curve P-256 that data keys of sessions are wrapped for: writers have the public half, holders of the repository's keys
/// find the private one in <c>keys/GENERATION/writers/key</c>.
/// </summary>
internal sealed class WritersKey : IDisposable
{
    /// <summary>Bytes of the public half: 0x04, x, y (SEC 1 §2.3.3).</summary>
    public const int PointSize = 65;

    private readonly ECDiffieHellman _key;

    private WritersKey(ECDiffieHellman key)
    {
        _key = key;
        Public = PointOf(key);
    }

    public byte[] Public { get; }

    /// <summary>The key pair, or null if the repository has never had a writer.</summary>
    /// <exception cref="DamageException">Its record is damaged.</exception>
    public static async ValueTask<WritersKey?> FindAsync(
        IObjectStore store, RepositoryScope scope, SecretBytes wrapping, CancellationToken cancellationToken)
    {
        var name = KeyObjects.WritersKey(scope.KeyGeneration);
        if (await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false) is not { } bytes) return null;
        using var scalar = KeyRecord.Open(bytes, KeyRecord.WritersKind, name, scope, wrapping);
        return Import(scalar, name);
    }

    /// <summary>The key pair, made if there is none. Of two who make one at once, both get the same.</summary>
    public static async ValueTask<WritersKey> FindOrCreateAsync(
        IObjectStore store, RepositoryScope scope, SecretBytes master, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var wrapping = KeyRecord.Wrapping(master.Span);
        if (await FindAsync(store, scope, wrapping, cancellationToken).ConfigureAwait(false) is { } there) return there;
        var name = KeyObjects.WritersKey(scope.KeyGeneration);
        using (var fresh = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256))
        {
            var scalar = fresh.ExportParameters(true).D!;
            try
            {
                var record = KeyRecord.Seal(KeyRecord.WritersKind, name, scope, master.Span, scalar, now);
                await KeyObjects.CreateAsync(store, name, record, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(scalar);
            }
        }

        return await FindAsync(store, scope, wrapping, cancellationToken).ConfigureAwait(false)
            ?? throw new RepositoryException($"The object {name} vanished while it was made; try again.");
    }

    /// <summary>The key that a session's data key is wrapped with, from the private half.</summary>
    /// <exception cref="InvalidDataException"><paramref name="ephemeral"/> is no point of the curve.</exception>
    public SecretBytes Agree(ReadOnlySpan<byte> ephemeral)
    {
        using var other = ImportPoint(ephemeral);
        return Derive(_key, other, ephemeral, Public);
    }

    /// <summary>The same from the public half: of a new key pair, which is forgotten.</summary>
    /// <returns>The wrapping key, and the public half of the pair.</returns>
    public static (SecretBytes Wrapping, byte[] Ephemeral) Agree(byte[] writersPublic)
    {
        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        using var other = ImportPoint(writersPublic);
        var ephemeral = PointOf(own);
        return (Derive(own, other, ephemeral, writersPublic), ephemeral);
    }

    /// <summary>Whether these bytes are a point of the curve.</summary>
    public static bool IsPoint(ReadOnlySpan<byte> point)
    {
        try
        {
            ImportPoint(point).Dispose();
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    public void Dispose() => _key.Dispose();

    /// <summary>Both public halves go into the key, so that it belongs to this session and this repository (RFC 9180 §4.1 does the same).</summary>
    private static SecretBytes Derive(ECDiffieHellman own, ECDiffieHellman other, ReadOnlySpan<byte> ephemeral, ReadOnlySpan<byte> recipient)
    {
        using var otherPublic = other.PublicKey;
        var agreed = own.DeriveRawSecretAgreement(otherPublic);
        Span<byte> wrapping = stackalloc byte[KeyDerivation.KeySize];
        try
        {
            byte[] salt = [.. ephemeral, .. recipient];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, agreed, wrapping, salt, "FunctionsBackup session key 1"u8);
            return SecretBytes.Copy(wrapping);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(agreed);
            CryptographicOperations.ZeroMemory(wrapping);
        }
    }

    private static WritersKey Import(SecretBytes scalar, string name)
    {
        var key = ECDiffieHellman.Create();
        var bytes = scalar.Span.ToArray();
        try
        {
            key.ImportParameters(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = bytes });
            return new WritersKey(key);
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new DamageException(name, $"The object {name} holds no key of the curve P-256: put it back from a replica.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static ECDiffieHellman ImportPoint(ReadOnlySpan<byte> point)
    {
        if (point.Length != PointSize || point[0] != 4) throw new InvalidDataException("its public key is no point of the curve P-256");
        var key = ECDiffieHellman.Create();
        try
        {
            var parameters = new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[1..33].ToArray(), Y = point[33..].ToArray() },
            };
            key.ImportParameters(parameters);
            return key;
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new InvalidDataException("its public key is no point of the curve P-256", e);
        }
    }

    private static byte[] PointOf(ECDiffieHellman key)
    {
        var point = key.ExportParameters(false).Q;
        return [4, .. point.X!, .. point.Y!];
    }
}
