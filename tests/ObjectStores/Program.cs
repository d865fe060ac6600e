namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>The process that pull-the-plug tests kill.</summary>
internal static class Program
{
    public static Task<int> Main() => Task.FromResult(0);
}
