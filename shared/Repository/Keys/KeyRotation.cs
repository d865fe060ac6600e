namespace FunctionsBackup.Repository.Keys;

/// <summary>What a rotation did.</summary>
/// <param name="Epoch">Number of the new epoch.</param>
/// <param name="Rewrapped">Slots that were replaced.</param>
/// <param name="Kept">Slots that no given credential opens: they open as before.</param>
public sealed record KeyRotation(uint Epoch, IReadOnlyList<RewrappedSlot> Rewrapped, IReadOnlyList<KeySlot> Kept);

/// <summary>A slot, and the one in its place.</summary>
public sealed record RewrappedSlot(KeySlot Old, KeySlot New);
