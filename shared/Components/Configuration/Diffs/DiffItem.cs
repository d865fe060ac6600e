namespace FunctionsBackup.Components.Configuration.Diffs;

/// <summary>One file of a state of the configuration.</summary>
/// <param name="Path">In the catalog, bytes.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Identity">Equal for equal contents of one repository; null: unknown.</param>
/// <param name="Read">Gives the bytes; only asked of small files.</param>
public sealed record DiffItem(byte[] Path, long Size, string? Identity, Func<CancellationToken, ValueTask<byte[]>> Read);
