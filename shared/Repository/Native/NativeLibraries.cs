using System.Reflection;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Repository.Native;

/// <summary>
/// Loads the system's libraries that this assembly binds, and says which Debian package to install when one is missing.
/// </summary>
public static class NativeLibraries
{
    public const string Zstd = "libzstd.so.1";
    public const string Lz4 = "liblz4.so.1";
    public const string Crypto = "libcrypto.so.3";

    static NativeLibraries() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);

    /// <summary>Called by the static constructor of every class that binds one: the resolver is in place before the first call.</summary>
    internal static void Prepare()
    {
    }

    /// <summary>Loads a library by its file name.</summary>
    /// <exception cref="MissingLibraryException">It is not on this machine.</exception>
    public static nint Load(string name) =>
        NativeLibrary.TryLoad(name, out var handle) ? handle : throw new MissingLibraryException(name, PackageOf(name));

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name is Zstd or Lz4 or Crypto ? Load(name) : 0;

    private static string PackageOf(string name) => name switch
    {
        Zstd => "libzstd1",
        Lz4 => "liblz4-1",
        Crypto => "libssl3",
        _ => name,
    };
}

/// <summary>A library of the operating system is not installed.</summary>
public sealed class MissingLibraryException(string library, string package)
    : RepositoryException($"The system library {library} is missing: install the package {package} (apt-get install {package}).")
{
    public string Library { get; } = library;

    public string Package { get; } = package;
}
