using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FunctionsBackup.SelfHosting.Hosting.Access;

/// <summary>
/// The keys that open a self-hosted API, in one file of its owner alone. A key is 256 random bits, shown once, when it is made; only its
/// SHA-256 is kept (a slow hash would add nothing to a key that cannot be guessed). Changes are taken over without a restart.
/// Safe for concurrent use, also by several processes.
/// </summary>
/// <param name="path">The file; no file: no keys.</param>
/// <param name="time">For the dates.</param>
public sealed class ApiKeys(string path, TimeProvider time)
{
    /// <summary>Before every key, so that one is known for what it is where it should not be.</summary>
    public const string Prefix = "fbk_";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private readonly Lock _gate = new();
    private (DateTime Written, long Length, IReadOnlyList<ApiKey> Keys)? _known;

    public string File { get; } = path;

    /// <summary>In the order in which they were made.</summary>
    /// <exception cref="HostingException">The file is not valid or cannot be read.</exception>
    public IReadOnlyList<ApiKey> List()
    {
        lock (_gate)
        {
            var file = new FileInfo(File);
            if (!file.Exists) return [];
            if (_known is { } known && known.Written == file.LastWriteTimeUtc && known.Length == file.Length) return known.Keys;
            var keys = Read();
            _known = (file.LastWriteTimeUtc, file.Length, keys);
            return keys;
        }
    }

    /// <summary>Makes a key and returns its text, which is nowhere kept.</summary>
    /// <exception cref="HostingException">The name is taken or cannot be used, or the file cannot be written.</exception>
    public string Add(string name, Role role)
    {
        if (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@'))
            throw new HostingException("The name of a key must have 1 to 64 letters, digits, '-', '_', '.' or '@'.");
        if (!Enum.IsDefined(role)) throw new HostingException("The role of a key must be viewer, operator or approver.");
        var key = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        Change(keys => keys.Any(k => k.Name == name)
            ? throw new HostingException($"There is a key '{name}' already; remove it first, or use another name.")
            : [.. keys, new ApiKey(name, role, Convert.ToHexStringLower(Hash(key)), time.GetUtcNow())]);
        return key;
    }

    /// <summary>False: there is none of that name.</summary>
    /// <exception cref="HostingException">The file cannot be written.</exception>
    public bool Remove(string name)
    {
        var found = false;
        Change(keys =>
        {
            found = keys.Any(k => k.Name == name);
            return [.. keys.Where(k => k.Name != name)];
        });
        return found;
    }

    /// <summary>Whose key this is; null: nobody's. Takes the same time whichever it is.</summary>
    public ApiKey? Find(string presented)
    {
        if (presented.Length > 256) return null;
        var hash = Hash(presented);
        ApiKey? found = null;
        foreach (var key in List())
            if (CryptographicOperations.FixedTimeEquals(hash, Convert.FromHexString(key.Sha256))) found = key;
        return found;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private List<ApiKey> Read()
    {
        try
        {
            if (new FileInfo(File).Length > 1 << 20) throw new HostingException($"The key file {File} is larger than 1 MiB; is it the right one?");
            var keys = JsonSerializer.Deserialize<List<ApiKey>>(System.IO.File.ReadAllText(File), Json) ?? [];
            return keys.All(k => k.Sha256.Length == 64 && k.Sha256.All(char.IsAsciiHexDigit))
                ? keys
                : throw new HostingException($"The key file {File} holds something that is no SHA-256; restore it, or remove it and make new keys.");
        }
        catch (JsonException e)
        {
            throw new HostingException(
                $"The key file {File} is not valid at line {e.LineNumber + 1}; restore it, or remove it and make new keys.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostingException($"The key file {File} cannot be read: {e.Message}", e);
        }
    }

    private void Change(Func<IReadOnlyList<ApiKey>, IReadOnlyList<ApiKey>> change)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(File))!, OwnerOnly | UnixFileMode.UserExecute);
            var options = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = OwnerOnly,
            };
            // Whoever changes the file holds this one: two commands at once lose nothing.
            using var exclusive = new FileStream(File + ".lock", options);
            var keys = change(System.IO.File.Exists(File) ? Read() : []);
            var temporary = File + ".new";
            System.IO.File.Delete(temporary);
            using (var stream = new FileStream(temporary, options))
            {
                JsonSerializer.Serialize(stream, keys, Json);
                stream.Flush(flushToDisk: true);
            }

            System.IO.File.Move(temporary, File, overwrite: true);
            lock (_gate) _known = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostingException($"The key file {File} cannot be written: {e.Message}", e);
        }
    }
}
