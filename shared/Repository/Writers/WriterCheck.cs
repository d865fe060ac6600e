using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Writers;

/// <summary>Looks at the records of write-only writers and of their removals, which are needed only when something of theirs is read.</summary>
internal static class WriterCheck
{
    /// <summary>What is not as holders of the keys made it.</summary>
    public static async IAsyncEnumerable<DamageException> FindDamageAsync(
        IObjectStore store, RepositoryScope scope, SecretBytes writersSecret,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var prefix = KeyObjects.Writers(scope.KeyGeneration);
        await foreach (var info in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            if (WriterNumber.Parse(info.Name.AsSpan(prefix.Length)) is { } number
                && await FindProblemAsync(store, scope, writersSecret, number, cancellationToken).ConfigureAwait(false) is { } damage)
                yield return damage;
    }

    private static async ValueTask<DamageException?> FindProblemAsync(
        IObjectStore store, RepositoryScope scope, SecretBytes writersSecret, uint number, CancellationToken cancellationToken)
    {
        var name = KeyObjects.Writer(scope.KeyGeneration, number);
        try
        {
            if (await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false) is not { } bytes) return null;
            WriterRecord.Parse(number, bytes, scope, writersSecret);
            await WriterRemoval.FindAsync(store, number, scope, writersSecret, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (InvalidDataException e)
        {
            return new DamageException(name, $"The object {name} is damaged: {e.Message}; put it back from a replica.", e);
        }
        catch (DamageException e)
        {
            return e;
        }
    }
}
