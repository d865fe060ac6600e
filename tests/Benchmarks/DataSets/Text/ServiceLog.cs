using System.Globalization;
using System.Text;

namespace FunctionsBackup.Benchmarks.DataSets.Text;

/// <summary>Lines as services write them: time, level, source, request id, numbers, a sentence now and then.</summary>
public static class ServiceLog
{
    private static readonly string[] Sources = ["livekit", "agent-worker", "stt", "tts", "api-gateway", "scheduler", "billing", "webhook"];
    private static readonly string[] Levels = ["INFO", "INFO", "INFO", "INFO", "DEBUG", "DEBUG", "WARN", "ERROR"];

    /// <summary>Appends at least <paramref name="bytes"/> bytes of lines.</summary>
    public static void Append(string path, int bytes, SplitMix random)
    {
        using var file = new StreamWriter(path, append: true, new UTF8Encoding(false), 1 << 16);
        var text = new StringBuilder();
        var at = new DateTime(2026, 5, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(random.Below(10_000_000));
        for (long written = 0; written < bytes; written += text.Length)
        {
            text.Clear();
            at = at.AddMilliseconds(random.Below(400));
            text.Append(CultureInfo.InvariantCulture, $"{at:yyyy-MM-ddTHH:mm:ss.fffZ} {Levels[random.Below(8)],-5} {Sources[random.Below(8)]} ");
            text.Append(CultureInfo.InvariantCulture, $"req={random.Next():x16} room=room-{random.Below(5000)} took_ms={random.Below(900)} ");
            text.Append(CultureInfo.InvariantCulture, $"status={(random.Below(20) == 0 ? 500 : 200)} bytes={random.Below(200_000)} ");
            if (random.Below(4) == 0) Vocabulary.Sentence(text, random.Between(3, 14), ref random);
            text.Append('\n');
            file.Write(text);
        }
    }
}
