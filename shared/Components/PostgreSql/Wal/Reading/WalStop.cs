namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>Why reading a segment ended.</summary>
public enum WalStopKind
{
    /// <summary>Records fill it to its last byte; the last may go on in the next segment.</summary>
    Filled,

    /// <summary>The server switched to the next segment; the rest is empty.</summary>
    Switched,

    /// <summary>What was written so far ends here: zeros, the end of the bytes, or pages of the file's earlier use.</summary>
    EndOfWal,

    /// <summary>Something stands here that no server wrote at this place.</summary>
    Broken,
}

/// <summary>How reading ended, and where.</summary>
/// <param name="Kind">Why.</param>
/// <param name="At">The LSN of the page or record concerned; the end of the segment if it was read to its end.</param>
/// <param name="Reason">What is wrong there, as the end of a sentence; null if nothing is.</param>
public readonly record struct WalStop(WalStopKind Kind, Lsn At, string? Reason)
{
    /// <summary>Whether the next segment continues from here.</summary>
    public bool IsComplete => Kind is WalStopKind.Filled or WalStopKind.Switched;
}
