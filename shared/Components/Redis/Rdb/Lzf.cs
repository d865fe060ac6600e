namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>Reads what LibLZF has compressed: runs of literals, and references to what came before.</summary>
internal static class Lzf
{
    /// <summary>False: the input is not what makes exactly this many bytes.</summary>
    public static bool TryDecompress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        var (from, to) = (0, 0);
        while (from < input.Length)
        {
            var control = input[from++];
            if (control < 32)
            {
                var length = control + 1;
                if (from + length > input.Length || to + length > output.Length) return false;
                input.Slice(from, length).CopyTo(output[to..]);
                (from, to) = (from + length, to + length);
                continue;
            }

            var count = control >> 5;
            if (count == 7)
            {
                if (from == input.Length) return false;
                count += input[from++];
            }

            if (from == input.Length) return false;
            var back = to - ((control & 0x1f) << 8) - input[from++] - 1;
            count += 2;
            if (back < 0 || to + count > output.Length) return false;
            for (var i = 0; i < count; i++) output[to++] = output[back++]; // they may overlap
        }

        return to == output.Length;
    }
}
