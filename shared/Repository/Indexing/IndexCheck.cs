using System.Security.Cryptography;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>Checks a segment's bytes against the hash at their end, which covers all of them.</summary>
internal static class IndexCheck
{
    private const int BufferSize = 1 << 20;

    /// <returns>What is wrong, or null.</returns>
    public static async ValueTask<DamageException?> FindDamageAsync(IObjectStore store, string name, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferSize];
        try
        {
            var info = await store.FindAsync(name, cancellationToken).ConfigureAwait(false) ?? throw new ObjectNotFoundException(name, store.Description);
            var end = info.Size - IndexFormat.HashSize;
            for (var at = 0L; at < end;)
            {
                var read = await store.ReadAsync(name, at, buffer.AsMemory(0, (int)Math.Min(BufferSize, end - at)), cancellationToken).ConfigureAwait(false);
                if (read == 0) return Damaged("it ends too early");
                hash.AppendData(buffer, 0, read);
                at += read;
            }

            var expected = new byte[IndexFormat.HashSize];
            if (end < 0 || await store.ReadAsync(name, end, expected, cancellationToken).ConfigureAwait(false) != expected.Length)
                return Damaged("it ends too early");
            return hash.GetHashAndReset().AsSpan().SequenceEqual(expected) ? null : Damaged("its bytes do not have the hash at their end");
        }
        catch (ObjectNotFoundException)
        {
            return Damaged("it is missing");
        }

        DamageException Damaged(string why) => new(name, $"{name} is damaged: {why}.");
    }
}
