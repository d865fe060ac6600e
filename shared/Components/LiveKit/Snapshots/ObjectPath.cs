using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FunctionsBackup.Components.LiveKit.Snapshots;

/// <summary>
/// Where an object lies in the catalog: <c>rooms/NAME/room.json</c>, <c>sip/inbound_trunks/ID.json</c>. Names are whatever clients chose, so all that
/// means something to a file system is written as <c>%HH</c>; two names never give one path.
/// </summary>
public static class ObjectPath
{
    /// <summary>Top-level folders of a snapshot, in the order of a catalog.</summary>
    public static IReadOnlyList<string> Roots { get; } = ["egress", "ingress", "rooms", "sip"];

    /// <summary>Bytes of a name in a path; 255 minus what is added to it.</summary>
    private const int MaximumName = 200;

    public static string Of(LiveKitObject item) => item.Kind.Name switch
    {
        "sip_inbound_trunks" => $"sip/inbound_trunks/{Name(item.Id)}.json",
        "sip_outbound_trunks" => $"sip/outbound_trunks/{Name(item.Id)}.json",
        "sip_dispatch_rules" => $"sip/dispatch_rules/{Name(item.Id)}.json",
        "ingress" => $"ingress/{Name(item.Id)}.json",
        "egress" => $"egress/{Name(item.Id)}.json",
        "rooms" => $"rooms/{Name(item.Id)}/room.json",
        "participants" => $"rooms/{Name(item.Room!)}/participants/{Name(item.Id)}.json",
        _ => $"rooms/{Name(item.Room!)}/dispatches/{Name(item.Id)}.json",
    };

    /// <summary>The kind that a path names; null: none that this version knows.</summary>
    public static LiveKitKind? KindOf(string path) => path.Split('/') switch
    {
        ["sip", "inbound_trunks", _] => LiveKitKind.InboundTrunk,
        ["sip", "outbound_trunks", _] => LiveKitKind.OutboundTrunk,
        ["sip", "dispatch_rules", _] => LiveKitKind.DispatchRule,
        ["ingress", _] => LiveKitKind.Ingress,
        ["egress", _] => LiveKitKind.Egress,
        ["rooms", _, "room.json"] => LiveKitKind.Room,
        ["rooms", _, "participants", _] => LiveKitKind.Participant,
        ["rooms", _, "dispatches", _] => LiveKitKind.Dispatch,
        _ => null,
    };

    /// <summary>A name as one component of a path.</summary>
    public static string Name(string name)
    {
        var escaped = new StringBuilder(name.Length);
        var bytes = 0;
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in name.EnumerateRunes())
        {
            var length = rune.EncodeToUtf8(utf8);
            if (Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '_' or '@' or '+' or '=' or ',' or ' ' || (rune.Value == '.' && escaped.Length > 0))
            {
                escaped.Append(rune.ToString());
                bytes += length;
                continue;
            }

            foreach (var value in utf8[..length]) escaped.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
            bytes += 3 * length;
        }

        if (bytes <= MaximumName) return escaped.ToString();
        // "%~" is no escape, so that no short name looks like this.
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));
        return $"{Cut(escaped.ToString(), MaximumName - 40)}%~{hash}";
    }

    private static string Cut(string text, int maximumBytes)
    {
        var (length, bytes) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > maximumBytes) break;
            bytes += rune.Utf8SequenceLength;
            length += rune.Utf16SequenceLength;
        }

        return text[..length];
    }
}
