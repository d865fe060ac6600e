namespace FunctionsBackup.Components.LiveKit.Snapshots;

/// <summary>One object as a server told it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Room">Of a participant or a dispatch, the name of the room; else null.</param>
/// <param name="Id">The value of <see cref="LiveKitKind.IdField"/>.</param>
/// <param name="Json">All of it (<see cref="CanonicalJson"/>); may hold secrets.</param>
public sealed record LiveKitObject(LiveKitKind Kind, string? Room, string Id, byte[] Json)
{
    /// <summary>Without the JSON, which may hold secrets.</summary>
    public override string ToString() => $"{Kind.Title} {Id}";
}
