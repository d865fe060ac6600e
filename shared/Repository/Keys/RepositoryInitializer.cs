using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// Makes a store a repository. Everything is written under a name of this attempt's own, and then <c>config</c>, which points there, is
/// created if absent: init is all or nothing, may run twice at once, and after a crash is simply run again.
/// </summary>
public sealed class RepositoryInitializer(IObjectStore store, TimeProvider time)
{
    /// <summary>Creates a repository, or finds that there is one and changes nothing.</summary>
    /// <exception cref="RepositoryException">
    /// The store holds something else; or the data could be lost with a single passphrase: neither was a recovery key acknowledged nor
    /// a second passphrase given.
    /// </exception>
    /// <exception cref="NotARepositoryException">There is an object <c>config</c> that is not a repository's.</exception>
    /// <exception cref="NewerFormatException">There is a repository of a later program.</exception>
    public async ValueTask<InitResult> CreateAsync(InitRequest request, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(KeyObjects.Config, cancellationToken).ConfigureAwait(false) is not null)
            return new(false, await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false), null);
        Check(request);
        await CheckEmptyAsync(cancellationToken).ConfigureAwait(false);

        using var recovery = request.Encrypt && request.AcknowledgeRecoveryKey is not null ? RecoveryKey.Create() : null;
        var recoveryText = recovery?.ToText();
        if (recoveryText is not null && !await request.AcknowledgeRecoveryKey!(recoveryText, cancellationToken).ConfigureAwait(false))
        {
            throw new RepositoryException(
                "Nothing was created, because the recovery key was not acknowledged: confirm that you keep it (--yes where nobody is at a "
                + "terminal), or give a second passphrase instead.");
        }

        var config = await WriteAsync(request, recovery, cancellationToken).ConfigureAwait(false);
        var winner = await CommitAsync(config, cancellationToken).ConfigureAwait(false);
        await RemoveOtherAttemptsAsync(winner.KeyGeneration, cancellationToken).ConfigureAwait(false);
        var created = winner.KeyGeneration == config.KeyGeneration;
        return new(created, winner, created ? recoveryText : null);
    }

    /// <summary>Creates the object config, and returns the one that is there then: this one, or that of somebody who was faster.</summary>
    private async ValueTask<RepositoryConfig> CommitAsync(RepositoryConfig config, CancellationToken cancellationToken)
    {
        try
        {
            await store.CreateAsync(KeyObjects.Config, config.ToJson(), cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // The config may be there although the answer was lost; then its recovery key is the right one.
            var there = await KeyObjects.ReadAsync(store, KeyObjects.Config, cancellationToken).ConfigureAwait(false);
            if (!there.AsSpan().SequenceEqual(config.ToJson())) throw;
        }

        return await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
    }

    private static void Check(InitRequest request)
    {
        request.Chunker.Checked();
        if (!request.Scrypt.IsValid) throw new RepositoryException($"The scrypt parameters {request.Scrypt} are out of bounds.");
        if (!request.Encrypt)
        {
            if (request.Passphrases.Count > 0)
                throw new RepositoryException("A passphrase was given, but encryption is off: turn it on, or leave out keys.passphrase.");
            if (request.Services.Count > 0)
                throw new RepositoryException("A key was given, but encryption is off: turn it on, or leave out keys.keyvault and keys.kms.");
            return;
        }

        for (var i = 0; i < request.Passphrases.Count; i++)
        {
            if (request.Passphrases[i].Bytes.IsEmpty)
                throw new RepositoryException("The passphrase is empty: set the one that keys.passphrase refers to.");
            for (var j = 0; j < i; j++)
                if (CryptographicOperations.FixedTimeEquals(request.Passphrases[i].Bytes.Span, request.Passphrases[j].Bytes.Span))
                    throw new RepositoryException("The same passphrase was given twice: a second key slot must have another one.");
        }

        if (request.Passphrases.Count == 0 && request.Services.Count == 0)
        {
            throw new RepositoryException(
                "The repository is to be encrypted, but no key was given: set keys.passphrase to env:NAME or file:PATH, keys.keyvault or "
                + "keys.kms.");
        }

        if (request.AcknowledgeRecoveryKey is not null) return;
        if (request.Passphrases.Count == 0)
        {
            throw new RepositoryException(
                "With keys of services alone, nobody could read the data where the services are gone: acknowledge the recovery key (--yes "
                + "where nobody is at a terminal), or give a passphrase.");
        }

        if (request.Passphrases.Count + request.Services.Count < 2)
        {
            throw new RepositoryException(
                "With a single passphrase and no recovery key, one loss would lose all data: acknowledge the recovery key (--yes where "
                + "nobody is at a terminal), or give a second passphrase.");
        }
    }

    /// <summary>Keys of an unfinished init are fine; anything else might be a repository that lost its config, or other data.</summary>
    private async ValueTask CheckEmptyAsync(CancellationToken cancellationToken)
    {
        await foreach (var found in store.ListAsync("", cancellationToken).ConfigureAwait(false))
        {
            if (GenerationOf(found.Name) is not null) continue;
            throw new RepositoryException(
                $"There is no repository in {store.Description}, but it is not empty (it has {found.Name}): choose an empty place, or put "
                + "back the object config if a repository lost it.");
        }
    }

    private async ValueTask<RepositoryConfig> WriteAsync(InitRequest request, RecoveryKey? recovery, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var generation = "m1-" + RandomNumberGenerator.GetHexString(8, lowercase: true);
        var id = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var scope = new RepositoryScope(id, generation);
        using var master = SecretBytes.Random(KeyDerivation.KeySize);
        using var secret = SecretBytes.Random(KeyDerivation.KeySize);
        using var data = SecretBytes.Random(KeyDerivation.KeySize);
        using var ring = new KeyRing(secret, new Dictionary<uint, SecretBytes> { [1] = data });
        var bare = new RepositoryConfig { RepositoryId = id, CreatedAt = now, KeyGeneration = generation, Chunker = request.Chunker };
        var config = bare.Signed(ring);

        var credentials = new List<(KeyCredential Credential, string Label)>();
        if (!request.Encrypt) credentials.Add((KeyCredential.Clear, "not encrypted"));
        else credentials.AddRange(request.Passphrases.Select(given => (KeyCredential.Passphrase(given.Bytes), given.Label)));
        credentials.AddRange(request.Services.Select(given => (KeyCredential.Service(given.Service), given.Label)));
        if (recovery is not null) credentials.Add((KeyCredential.Recovery(recovery), "recovery key"));
        foreach (var (credential, label) in credentials)
        {
            var slot = await KeySlot.CreateAsync(credential, label, scope, master, request.Scrypt, now, cancellationToken)
                .ConfigureAwait(false);
            await PutAsync(KeyObjects.Slots(generation) + slot.Id, slot.ToJson(), cancellationToken).ConfigureAwait(false);
            await PutAsync(KeyObjects.SlotWitnesses(generation) + slot.Id, slot.ToJson(), cancellationToken).ConfigureAwait(false);
        }

        var secretsName = KeyObjects.Secrets(generation);
        var secrets = KeyRecord.Seal(KeyRecord.SecretsKind, secretsName, scope, master.Span, secret.Span, now);
        await PutAsync(secretsName, secrets, cancellationToken).ConfigureAwait(false);
        var epochName = KeyObjects.Epoch(generation, 1);
        var epoch = KeyRecord.Seal(KeyRecord.EpochKind, epochName, scope, master.Span, data.Span, now);
        await PutAsync(epochName, epoch, cancellationToken).ConfigureAwait(false);
        await PutAsync(KeyObjects.ConfigCopy(generation), config.ToJson(), cancellationToken).ConfigureAwait(false);
        return config;
    }

    private async ValueTask PutAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        if (!await KeyObjects.CreateAsync(store, name, content, cancellationToken).ConfigureAwait(false))
            throw new RepositoryException($"The object {name} exists already, although its name is random: is the store reporting truly?");
    }

    /// <summary>Removes the keys of inits that did not come to the end, or came second: the config points elsewhere for ever.</summary>
    private async ValueTask RemoveOtherAttemptsAsync(string generation, CancellationToken cancellationToken)
    {
        try
        {
            var others = new List<string>();
            await foreach (var found in store.ListAsync(KeyObjects.Prefix, cancellationToken).ConfigureAwait(false))
                if (GenerationOf(found.Name) is { } other && other != generation) others.Add(found.Name);
            foreach (var name in others) await store.DeleteOrHideAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // The repository is complete. A store that does not delete (an immutable bucket) keeps a few objects that nothing refers to.
        }
    }

    private static string? GenerationOf(string name)
    {
        if (!name.StartsWith(KeyObjects.Prefix, StringComparison.Ordinal)) return null;
        var rest = name.AsSpan(KeyObjects.Prefix.Length);
        var slash = rest.IndexOf('/');
        return slash > 0 && KeyObjects.IsGeneration(rest[..slash]) ? rest[..slash].ToString() : null;
    }
}
