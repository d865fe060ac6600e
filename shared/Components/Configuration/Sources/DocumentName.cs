using System.Text;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>Names of things as one part of a path, and back: what a path could not hold is written as <c>%XX</c> of its UTF-8 bytes.</summary>
public static class DocumentName
{
    /// <summary>The part for a name; two names never give the same. An empty name is <c>%</c>.</summary>
    public static string Of(string name)
    {
        if (name.Length == 0) return "%";
        var part = new StringBuilder(name.Length);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in name.EnumerateRunes())
        {
            if (rune.Value is > 0x20 and not ('/' or '%' or '\\' or 0x7F) && (rune.Value != '.' || part.Length > 0))
            {
                part.Append(rune);
                continue;
            }

            foreach (var value in bytes[..rune.EncodeToUtf8(bytes)]) part.Append('%').Append(value.ToString("X2", null));
        }

        return part.ToString();
    }
}
