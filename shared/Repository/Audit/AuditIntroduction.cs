namespace FunctionsBackup.Repository.Audit;

/// <summary>The record of a writer (<c>audit/writers/ID</c>): its public key, vouched for by whoever held the repository's keys.</summary>
public sealed record AuditIntroduction
{
    public required string Writer { get; init; }

    /// <summary>The machine that it was on.</summary>
    public required string Host { get; init; }

    public required DateTimeOffset IntroducedAt { get; init; }

    /// <summary>SubjectPublicKeyInfo.</summary>
    public required byte[] Key { get; init; }

    /// <summary>HMAC-SHA-256 with the repository's config key (FORMAT.md §9).</summary>
    public required byte[] Mac { get; init; }
}
