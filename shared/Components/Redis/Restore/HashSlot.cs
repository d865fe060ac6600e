namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>The slot of a key in a cluster (Redis cluster specification): CRC-16 (XMODEM) of the key, or of what stands between its first braces.</summary>
public static class HashSlot
{
    public static int Of(ReadOnlySpan<byte> key)
    {
        var open = key.IndexOf((byte)'{');
        if (open >= 0)
        {
            var length = key[(open + 1)..].IndexOf((byte)'}');
            if (length > 0) key = key.Slice(open + 1, length);
        }

        var crc = 0;
        foreach (var value in key)
        {
            crc ^= value << 8;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            crc &= 0xffff;
        }

        return crc % 16384;
    }
}
