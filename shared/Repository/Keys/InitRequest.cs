using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Keys;

/// <summary>What a new repository shall be.</summary>
public sealed record InitRequest
{
    /// <summary>Passphrases with their labels, each a slot of its own; wiping the bytes is the caller's.</summary>
    public IReadOnlyList<InitPassphrase> Passphrases { get; init; } = [];

    /// <summary>Keys of services, each a slot of its own.</summary>
    public IReadOnlyList<InitService> Services { get; init; } = [];

    /// <summary>
    /// Shows the recovery key to whoever keeps it, and returns whether they have it. Called once, before anything is created. Null: no
    /// recovery key is made, and then two passphrases are needed.
    /// </summary>
    public Func<string, CancellationToken, ValueTask<bool>>? AcknowledgeRecoveryKey { get; init; }

    /// <summary>False (<c>encryption: false</c>): the master key lies open in the store. No passphrase may be given then.</summary>
    public bool Encrypt { get; init; } = true;

    /// <summary>What a guess at a passphrase costs.</summary>
    public ScryptParameters Scrypt { get; init; } = ScryptParameters.Default;

    public ChunkerParameters Chunker { get; init; } = ChunkerParameters.Default;
}

/// <summary>A passphrase and what people call it.</summary>
public sealed record InitPassphrase(ReadOnlyMemory<byte> Bytes, string Label)
{
    /// <summary>Never the content.</summary>
    public override string ToString() => $"a passphrase labelled '{Label}'";
}

/// <summary>A key of a service and what people call it.</summary>
public sealed record InitService(IKeyService Service, string Label);

/// <summary>What init did.</summary>
/// <param name="Created">False: there was a repository already, and nothing was changed.</param>
/// <param name="Config">The repository's config.</param>
/// <param name="RecoveryKey">The acknowledged recovery key, this once, if one was made.</param>
public sealed record InitResult(bool Created, RepositoryConfig Config, string? RecoveryKey)
{
    /// <summary>Never the recovery key.</summary>
    public override string ToString() => $"repository {Config.RepositoryId}, {(Created ? "created" : "there already")}";
}
