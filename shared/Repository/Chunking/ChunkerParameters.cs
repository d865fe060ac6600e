using System.Numerics;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Repository.Chunking;

/// <summary>Chunk sizes of content-defined chunking, bytes; kept in the config, since other cuts would find no duplicates.</summary>
/// <param name="Minimum">No chunk but the last of a content is smaller; at least 256.</param>
/// <param name="Average">What the mean comes close to on random data: a power of two, more than the minimum.</param>
/// <param name="Maximum">No chunk is larger; more than the average, at most <see cref="ContentLimits.MaximumChunkSize"/>.</param>
public sealed record ChunkerParameters(int Minimum, int Average, int Maximum)
{
    public static ChunkerParameters Default { get; } = new(128 << 10, 512 << 10, ContentLimits.MaximumChunkSize);

    /// <summary>Whether the sizes obey the rules above; they may come from a hostile config.</summary>
    public bool IsValid =>
        Minimum >= 256 && Minimum < Average && Average < Maximum && Maximum <= ContentLimits.MaximumChunkSize
        && BitOperations.IsPow2(Average);

    /// <summary>Returns these parameters if they are valid.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public ChunkerParameters Checked() =>
        IsValid ? this : throw new ArgumentException($"Chunk sizes {Minimum}/{Average}/{Maximum} are not valid.");
}
