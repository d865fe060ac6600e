namespace FunctionsBackup.Repository.Compression.Pcm;

/// <summary>How 16-bit little-endian samples lie in a run of bytes, and how each is predicted (FORMAT.md §4.3).</summary>
/// <param name="Phase">0 or 1: the byte at which the first sample begins.</param>
/// <param name="Channels">1 or 2, interleaved: a sample is predicted from earlier ones of its own channel.</param>
/// <param name="Order">0: not predicted. 1: as the one before. 2: on the line through the two before.</param>
internal readonly record struct PcmLayout(int Phase, int Channels, int Order)
{
    /// <summary>The code of bytes that are no samples.</summary>
    public const byte Verbatim = 0xFF;

    public byte Code => (byte)(Phase | ((Channels - 1) << 1) | (Order << 2));

    public static bool TryDecode(byte code, out PcmLayout layout)
    {
        layout = new PcmLayout(code & 1, 1 + ((code >> 1) & 1), code >> 2);
        return layout.Order <= 2;
    }

    /// <summary>Samples in so many bytes.</summary>
    public int SamplesIn(int length) => Math.Max(0, length - Phase) / 2;
}
