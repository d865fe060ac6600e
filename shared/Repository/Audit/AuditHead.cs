namespace FunctionsBackup.Repository.Audit;

/// <summary>A link of a writer's chain, fixed by its hash: whoever knows it notices if the chain up to there is changed or shortened.</summary>
/// <param name="Writer">32 hex digits.</param>
/// <param name="Sequence">Of the segment, from 1.</param>
/// <param name="Hash">SHA-256 of the segment's header, 64 hex digits; it fixes the segment and all before it.</param>
public sealed record AuditHead(string Writer, long Sequence, string Hash)
{
    /// <summary>What the first segment names as the one before.</summary>
    internal const string NoHash = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Before the first segment.</summary>
    public static AuditHead Before(string writer) => new(writer, 0, NoHash);

    /// <summary>Whether it can be one: for what comes from outside.</summary>
    public bool IsValid => Writer is not null && AuditNames.IsWriter(Writer) && Sequence is >= 1 and <= AuditNames.MaximumSequence
        && IsHash(Hash);

    internal static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);
}
