namespace FunctionsBackup.Components.PostgreSql.Pages;

/// <summary>Why a page is bad.</summary>
public enum PageFault
{
    /// <summary>Stored and computed checksum differ.</summary>
    Checksum,

    /// <summary>The header is one that the server would refuse.</summary>
    Header,

    /// <summary>Not initialised, yet not all zeros.</summary>
    NotZero,

    /// <summary>The file ends within a page.</summary>
    Partial,
}

/// <summary>A bad page of a relation file.</summary>
/// <param name="Block">Number within the relation.</param>
/// <param name="Fault">What is wrong.</param>
/// <param name="Stored">The checksum in the page.</param>
/// <param name="Computed">The checksum that its bytes give; 0 if none was computed.</param>
public readonly record struct PageDefect(uint Block, PageFault Fault, ushort Stored, ushort Computed);
