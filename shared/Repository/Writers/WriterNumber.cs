using System.Globalization;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Writers;

/// <summary>Numbers of writers as people and objects write them: 8 hex digits.</summary>
internal static class WriterNumber
{
    public static string Format(uint writer) => writer.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>Null: it is none.</summary>
    public static uint? Parse(ReadOnlySpan<char> text) => ParseHex(text) is { } number && EpochKinds.IsWriter(number) ? number : null;

    /// <summary>The number of a session by its object's name, or null.</summary>
    public static uint? ParseSession(ReadOnlySpan<char> text) => ParseHex(text) is { } number && EpochKinds.IsSession(number) ? number : null;

    private static uint? ParseHex(ReadOnlySpan<char> text) =>
        text.Length == 8 && KeyObjects.IsLowerHex(text) && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}
