using System.Text.Json;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>The header of a part's object, and of the small files'.</summary>
/// <param name="SegmentSize">Bytes of the whole segment; of the file itself for the others.</param>
/// <param name="Sha256">Of the object's body: 64 lower-case hex digits.</param>
internal sealed record WalPartFacts(int SegmentSize, string Sha256)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Options);

    public static WalPartFacts? FromJson(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<WalPartFacts>(json, Options);
}
