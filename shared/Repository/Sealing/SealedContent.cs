namespace FunctionsBackup.Repository.Sealing;

/// <summary>A sealed object, opened.</summary>
public sealed record SealedContent(byte[] Header, byte[] Body)
{
    /// <summary>In which it was made: says who did.</summary>
    internal uint Epoch { get; init; }
}
