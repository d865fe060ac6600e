using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FunctionsBackup.Benchmarks.DataSets.Text;

/// <summary>The transcript of one call as JSON: turns with times, confidences and text.</summary>
public static class Transcript
{
    public static void Write(string path, int approximateBytes, SplitMix random)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        using var json = new Utf8JsonWriter(file);
        var text = new StringBuilder();
        var at = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(random.Below(20_000_000));
        json.WriteStartObject();
        json.WriteString("call_id", random.Guid());
        json.WriteString("room", "room-" + random.Below(5000).ToString(CultureInfo.InvariantCulture));
        json.WriteString("agent", "agent-" + random.Below(40).ToString(CultureInfo.InvariantCulture));
        json.WriteString("started_at", at);
        json.WriteStartArray("turns");
        for (var turn = 0; json.BytesCommitted + json.BytesPending < approximateBytes; turn++)
        {
            text.Clear();
            Vocabulary.Sentence(text, random.Between(4, 28), ref random);
            at = at.AddMilliseconds(random.Between(700, 9000));
            json.WriteStartObject();
            json.WriteString("speaker", turn % 2 == 0 ? "agent" : "caller");
            json.WriteString("at", at);
            json.WriteNumber("confidence", Math.Round(0.55 + (0.45 * random.Fraction()), 4));
            json.WriteString("text", text.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
