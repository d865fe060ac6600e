using System.Runtime.InteropServices;
using FunctionsBackup.Repository.Native;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>The memory-hard key derivation of RFC 7914, by OpenSSL's libcrypto (EVP_PBE_scrypt(3)).</summary>
public static partial class Scrypt
{
    static Scrypt() => NativeLibraries.Prepare();

    /// <summary>Fills <paramref name="output"/> from a passphrase.</summary>
    /// <exception cref="ArgumentException">The parameters are not valid; see <see cref="ScryptParameters.IsValid"/>.</exception>
    /// <exception cref="InsufficientMemoryException">The machine has not the memory that the parameters ask for.</exception>
    /// <exception cref="MissingLibraryException">libcrypto is not installed.</exception>
    public static void DeriveKey(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, ScryptParameters parameters, Span<byte> output)
    {
        if (!parameters.IsValid) throw new ArgumentException($"scrypt parameters {parameters} are not valid.", nameof(parameters));
        // libcrypto takes a null passphrase or key for "check the parameters only".
        if (output.IsEmpty) throw new ArgumentException("There is no room for a key.", nameof(output));
        ReadOnlySpan<byte> nothing = [0];
        var given = passphrase.IsEmpty ? nothing : passphrase;
        var salted = salt.IsEmpty ? nothing : salt;
        // Beside the 128·N·r bytes of V it counts B and the block being mixed.
        var memory = (ulong)parameters.Work + 128UL * (ulong)parameters.R * (ulong)(parameters.P + 4) + 4096;
        var done = EvpPbeScrypt(
            given, (nuint)passphrase.Length, salted, (nuint)salt.Length,
            (ulong)parameters.N, (ulong)parameters.R, (ulong)parameters.P, memory, output, (nuint)output.Length);
        if (done != 1)
            throw new InsufficientMemoryException($"scrypt failed with {parameters}: it needs {parameters.Work >> 20} MiB of free memory.");
    }

    [LibraryImport(NativeLibraries.Crypto, EntryPoint = "EVP_PBE_scrypt")]
    private static partial int EvpPbeScrypt(
        ReadOnlySpan<byte> passphrase, nuint passphraseLength, ReadOnlySpan<byte> salt, nuint saltLength,
        ulong n, ulong r, ulong p, ulong maximumMemory, Span<byte> key, nuint keyLength);
}
