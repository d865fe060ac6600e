using System.Text;

namespace FunctionsBackup.Cli.Output;

/// <summary>Printers of the process's own streams.</summary>
internal static class Printers
{
    public static Printer Create(bool json) =>
        new(Console.Out, Console.Error, json, !Console.IsOutputRedirected, !Console.IsErrorRedirected, TimeProvider.System);

    /// <summary>stdout is buffered: commands flush what belongs together. A reader that went away is no failure.</summary>
    public static void Prepare()
    {
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 16 << 10) { AutoFlush = false };
        Console.SetOut(TextWriter.Synchronized(output));
    }
}
