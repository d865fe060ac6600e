namespace FunctionsBackup.Repository.Sealing;

/// <summary>A sealed object, opened.</summary>
public sealed record SealedContent(byte[] Header, byte[] Body);
