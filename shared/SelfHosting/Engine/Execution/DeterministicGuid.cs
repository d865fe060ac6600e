using System.Security.Cryptography;
using System.Text;

namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>Ids that are the same in every replay: version 5 of RFC 9562, of a name.</summary>
internal static class DeterministicGuid
{
    private static readonly Guid Namespace = new("6f1d1b52-6f0f-4f0c-9e60-8f3a2c5d7e41");

    public static Guid Create(string name)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // The RFC's choice; nothing is protected by it.
        SHA1.HashData([.. Namespace.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(name)], hash);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
