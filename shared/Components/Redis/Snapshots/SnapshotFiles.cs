using System.Globalization;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>Names in the catalog of a snapshot (FORMAT.md).</summary>
internal static class SnapshotFiles
{
    public const string Functions = "functions", Layers = "layers", Values = "values";

    public static string Function(int index) => string.Create(CultureInfo.InvariantCulture, $"{Functions}/{index:0000}.lua");

    public static string Records(string layer) => $"{Layers}/{layer}.records";

    public static string Fingerprints(string layer) => $"{Layers}/{layer}.fingerprints";

    public static string Value(ReadOnlySpan<byte> name) => $"{Values}/{Convert.ToHexStringLower(name)}";
}
