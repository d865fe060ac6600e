using System.Buffers;
using System.Text.Json;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>Names of the objects that hold keys, and how they are read and written (FORMAT.md §3).</summary>
internal static class KeyObjects
{
    public const string Config = "config";
    public const string Prefix = "keys/";

    /// <summary>What six digits hold.</summary>
    public const uint MaximumEpoch = 999_999;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    public static string Secrets(string generation) => $"{Prefix}{generation}/secrets";

    public static string ConfigCopy(string generation) => $"{Prefix}{generation}/config";

    public static string Epochs(string generation) => $"{Prefix}{generation}/epochs/";

    public static string Epoch(string generation, uint epoch) => $"{Epochs(generation)}{epoch:D6}";

    public static string Slots(string generation) => $"{Prefix}{generation}/slots/";

    /// <summary>Copies of the slots; see <see cref="SlotWitnesses"/>.</summary>
    public static string SlotWitnesses(string generation) => $"{Prefix}{generation}/witness/";

    /// <summary>Records of write-only writers, and the private half of the key that their sessions are wrapped for.</summary>
    public static string Writers(string generation) => $"{Prefix}{generation}/writers/";

    public static string Writer(string generation, uint writer) => $"{Writers(generation)}{writer:x8}";

    public static string WriterRemoval(string generation, uint writer) => Writer(generation, writer) + ".removed";

    public static string WritersKey(string generation) => $"{Writers(generation)}key";

    /// <summary>Data keys of sessions of write-only writers.</summary>
    public static string Sessions(string generation) => $"{Prefix}{generation}/sessions/";

    public static string Session(string generation, uint session) => $"{Sessions(generation)}{session:x8}";

    /// <summary><c>m1-</c> and 8 hex digits: the random part keeps concurrent inits out of each other's way.</summary>
    public static bool IsGeneration(ReadOnlySpan<char> name) =>
        name.Length == 11 && name.StartsWith("m1-") && IsLowerHex(name[3..]);

    public static bool IsLowerHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(LowerHex);

    /// <summary>A small object's bytes, or null if there is none; at most one more than <see cref="JsonFields.MaximumLength"/>.</summary>
    public static ValueTask<byte[]?> ReadAsync(IObjectStore store, string name, CancellationToken cancellationToken) =>
        ReadAsync(store, name, JsonFields.MaximumLength, cancellationToken);

    /// <summary>The same of an object that may be larger: at most one byte more than <paramref name="maximum"/>.</summary>
    public static async ValueTask<byte[]?> ReadAsync(IObjectStore store, string name, int maximum, CancellationToken cancellationToken)
    {
        var buffer = new byte[maximum + 1];
        try
        {
            var length = await store.ReadAsync(name, 0, buffer, cancellationToken).ConfigureAwait(false);
            return buffer[..length];
        }
        catch (ObjectNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Creates a small object.</summary>
    /// <returns>False if there is another one of that name. One with the same bytes is this one, its answer lost on the way.</returns>
    public static async ValueTask<bool> CreateAsync(IObjectStore store, string name, byte[] content, CancellationToken cancellationToken) =>
        await store.CreateAsync(name, content, cancellationToken).ConfigureAwait(false)
        || (await ReadAsync(store, name, cancellationToken).ConfigureAwait(false)).AsSpan().SequenceEqual(content);

    /// <summary>An indented JSON object, so that people can read it.</summary>
    public static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
