namespace FunctionsBackup.Storage;

/// <summary>What a store knows of an object without reading it.</summary>
/// <param name="Name">The object's name.</param>
/// <param name="Size">Size in bytes.</param>
/// <param name="LastModified">When it was created, by the store's own clock.</param>
public sealed record ObjectInfo(string Name, long Size, DateTimeOffset LastModified);
