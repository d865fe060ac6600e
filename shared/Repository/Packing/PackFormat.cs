using System.Buffers.Binary;

namespace FunctionsBackup.Repository.Packing;

/// <summary>What a pack holds.</summary>
public enum PackKind : byte
{
    /// <summary>Chunks of files.</summary>
    Data = 1,

    /// <summary>Catalog leaves and item lists: kept apart, so that browsing and incremental backups read little.</summary>
    Metadata = 2,
}

/// <summary>Sizes and places of a pack's parts (FORMAT.md §5).</summary>
internal static class PackFormat
{
    public const string Prefix = "packs/";

    public const byte Version = 1;

    /// <summary>magic 4, version 1, kind 1, reserved 2, epoch 4, salt 32.</summary>
    public const int HeaderSize = 44;

    /// <summary>directory's stored length 4, its plaintext length 4, reserved 4, magic 4.</summary>
    public const int TrailerSize = 16;

    public const int TagSize = 16;

    public const int SaltSize = 32;

    /// <summary>A pack is closed when it holds this much.</summary>
    public const int TargetSize = 16 << 20;

    /// <summary>No pack is larger: the target, one more block, and the directory.</summary>
    public const int MaximumSize = 24 << 20;

    /// <summary>Plaintext at which a block is sealed; a larger chunk is a block of its own.</summary>
    public const int BlockTarget = 1 << 20;

    public const int MaximumBlock = Contents.ContentLimits.MaximumChunkSize;

    /// <summary>algorithm 1, plaintext length 4, before the compressed bytes, inside the encryption.</summary>
    public const int BlockHeaderSize = 5;

    public static ReadOnlySpan<byte> Magic => "FBPK"u8;

    public static ReadOnlySpan<byte> EndMagic => "FBPE"u8;

    /// <summary><c>packs/ab/abcd…</c>: by the SHA-256 of all of the pack's bytes, so that anyone can check a pack without a key.</summary>
    public static string NameOf(ReadOnlySpan<byte> sha256)
    {
        var hex = Convert.ToHexStringLower(sha256);
        return $"{Prefix}{hex[..2]}/{hex}";
    }

    /// <summary>The SHA-256 that a pack's name states, or false if it is not the name of a pack.</summary>
    public static bool TryParseName(string name, Span<byte> sha256)
    {
        if (name.Length != Prefix.Length + 3 + 64 || !name.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var hex = name.AsSpan(Prefix.Length + 3);
        return name.AsSpan(Prefix.Length, 2).SequenceEqual(hex[..2]) && name[Prefix.Length + 2] == '/'
            && Convert.FromHexString(hex, sha256, out _, out var written) == System.Buffers.OperationStatus.Done && written == 32;
    }

    public static void WriteHeader(Span<byte> destination, PackKind kind, uint epoch, ReadOnlySpan<byte> salt)
    {
        Magic.CopyTo(destination);
        destination[4] = Version;
        destination[5] = (byte)kind;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], epoch);
        salt.CopyTo(destination[12..]);
    }

    /// <summary>Checks a header's constant parts.</summary>
    /// <exception cref="DamageException">It is not the header of a pack.</exception>
    /// <exception cref="NewerFormatException">The pack has a version that this program does not know.</exception>
    public static (PackKind Kind, uint Epoch) ReadHeader(string name, ReadOnlySpan<byte> header)
    {
        if (header.Length < HeaderSize || !header[..4].SequenceEqual(Magic) || header[5] is not (1 or 2) || header[6] != 0 || header[7] != 0)
            throw new DamageException(name, $"{name} is not a pack; run 'fbackup repository repair'.");
        if (header[4] != Version)
            throw new NewerFormatException($"{name} has pack version {header[4]}; use a newer fbackup.");
        return ((PackKind)header[5], BinaryPrimitives.ReadUInt32LittleEndian(header[8..]));
    }
}
