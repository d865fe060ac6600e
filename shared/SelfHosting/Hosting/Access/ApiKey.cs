namespace FunctionsBackup.SelfHosting.Hosting.Access;

/// <summary>A key as it is stored: only its hash, so that the file gives nobody access.</summary>
/// <param name="Name">How people call it; unique.</param>
/// <param name="Role">What it allows.</param>
/// <param name="Sha256">Of the key's text, 64 hex digits.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record ApiKey(string Name, Role Role, string Sha256, DateTimeOffset CreatedAt);
