using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Writers;

/// <summary>Opens a repository for a host that only writes: each time with a new session, whose data key leaves this process only wrapped.</summary>
public static class WriterUnlock
{
    /// <summary>Of 2^30 numbers, a taken one is drawn now and then.</summary>
    private const int Attempts = 20;

    /// <summary>Checks that the store holds the repository of the file, and begins a session there.</summary>
    /// <param name="store">The repository's.</param>
    /// <param name="file">Stays the caller's.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops before the session is made.</param>
    /// <exception cref="NotARepositoryException">The store has no repository.</exception>
    /// <exception cref="WrongKeyException">The file is for another repository, or the writer was removed.</exception>
    public static async ValueTask<UnlockedRepository> UnlockAsync(
        IObjectStore store, WriterFile file, TimeProvider time, CancellationToken cancellationToken)
    {
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        // The config's code cannot be checked here: what the file says of the repository was believed when it was made.
        if (config.RepositoryId != file.RepositoryId || config.KeyGeneration != file.KeyGeneration)
            throw new WrongKeyException($"The writer file is for repository {file.RepositoryId}, and this one is {config.RepositoryId}: use the file of this one.");
        var scope = RepositoryScope.Of(config);
        var removal = KeyObjects.WriterRemoval(scope.KeyGeneration, file.Secrets.Writer);
        if (await store.FindAsync(removal, cancellationToken).ConfigureAwait(false) is not null)
            throw new WrongKeyException($"Writer {file.Id} was removed from the repository: make a new file with 'fbackup repository keys writer add'.");
        using var dataKey = SecretBytes.Random(KeyDerivation.KeySize);
        var session = await BeginAsync(store, file, scope, dataKey, time, cancellationToken).ConfigureAwait(false);
        return new(config with { Chunker = file.Chunker }, new KeyRing(WriterSecrets.Of(file.Secrets.Writer, file.Secrets.Span), session, dataKey));
    }

    private static async ValueTask<uint> BeginAsync(
        IObjectStore store, WriterFile file, RepositoryScope scope, SecretBytes dataKey, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var session = EpochKinds.NewSession();
            var record = SessionRecord.Create(session, file.Secrets, file.PublicKey, scope, dataKey, time.GetUtcNow()).ToJson();
            var name = KeyObjects.Session(scope.KeyGeneration, session);
            if (await KeyObjects.CreateAsync(store, name, record, cancellationToken).ConfigureAwait(false)) return session;
        }

        throw new RepositoryException($"No free number for a session was found in {Attempts} attempts; try again.");
    }
}
