/// <summary>
/// Runs inside the program that a test starts with <c>DOTNET_STARTUP_HOOKS</c>: when it ends, writes the names of all assemblies that it
/// loaded. (The runtime looks for this name, without a namespace.)
/// </summary>
internal static class StartupHook
{
    public const string OutputVariable = "FBACKUP_TEST_LOADED_ASSEMBLIES";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(OutputVariable) is not { Length: > 0 } file) return;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            File.WriteAllLines(file, AppDomain.CurrentDomain.GetAssemblies().Select(a => a.GetName().Name ?? ""));
    }
}
