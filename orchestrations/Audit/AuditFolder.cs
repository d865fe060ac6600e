using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.FileSystem;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>
/// What the audit log keeps on this machine, in a folder for its owner alone: entries that wait (each a file, durable), and for each
/// repository the writer's private key and how far its chain is. Processes that share it need no lock (docs/decisions/audit-log.md).
/// </summary>
internal sealed class AuditFolder(string path, TimeProvider time) : IAsyncDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerReads = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _lock = new();
    private FileSystemObjectStore? _spool;

    public string Path { get; } = path;

    public string SpoolPath => System.IO.Path.Combine(Path, "spool");

    /// <summary>Entries that wait, each an object by its id.</summary>
    public IObjectStore Spool
    {
        get
        {
            lock (_lock)
            {
                if (_spool is not null) return _spool;
                MakeFolder();
                FileSystemObjectStore.Initialize(SpoolPath);
                return _spool = new FileSystemObjectStore(SpoolPath, time);
            }
        }
    }

    /// <summary>Whether anything was ever kept here.</summary>
    public bool Exists => Directory.Exists(SpoolPath);

    public static string KeyFile(string folder) => System.IO.Path.Combine(folder, "writer.pem");

    /// <summary>The folder of one repository's writer.</summary>
    public string FolderOf(string repository) => System.IO.Path.Combine(Path, repository);

    /// <summary>The writer's key; made when there is none. Of two processes that make one at the same moment, both get the same.</summary>
    /// <exception cref="RepositoryException">It cannot be read.</exception>
    public AuditSigner LoadOrCreateSigner(string repository, Action<string> warn)
    {
        var folder = FolderOf(repository);
        MakeFolder();
        Directory.CreateDirectory(folder, OwnerOnly);
        var file = KeyFile(folder);
        if (!File.Exists(file)) CreateKey(folder, file);
        if ((File.GetUnixFileMode(file) & ~OwnerReads) != 0)
        {
            warn($"Others could read {file}, the key that signs the audit log; it is for its owner alone again, but may be known.");
            File.SetUnixFileMode(file, OwnerReads);
        }

        try
        {
            return AuditSigner.Load(File.ReadAllText(file));
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"{e.Message} Put {file} back, or move it away: then a new chain begins.", e);
        }
    }

    /// <summary>How far the chain is, as this machine knows; null: nothing is known. Never ahead of the repository.</summary>
    public AuditState? ReadState(string repository)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(StateFile(repository)), AuditStateJson.Default.AuditState);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null; // half of one that a crash left is as good as none: the repository has it all
        }
    }

    public void WriteState(string repository, AuditState state)
    {
        MakeFolder();
        Directory.CreateDirectory(FolderOf(repository), OwnerOnly);
        var incomplete = StateFile(repository) + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(incomplete, JsonSerializer.SerializeToUtf8Bytes(state, AuditStateJson.Default.AuditState));
        File.Move(incomplete, StateFile(repository), overwrite: true);
    }

    public ValueTask DisposeAsync() => _spool?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Nobody else may look into it or put something there.</summary>
    private void MakeFolder()
    {
        Directory.CreateDirectory(Path, OwnerOnly);
        if (File.GetUnixFileMode(Path) != OwnerOnly) File.SetUnixFileMode(Path, OwnerOnly);
    }

    private string StateFile(string repository) => System.IO.Path.Combine(FolderOf(repository), "chain.json");

    private static void CreateKey(string folder, string file)
    {
        using var signer = AuditSigner.Create();
        var incomplete = System.IO.Path.Combine(folder, $"writer.{Guid.NewGuid():N}");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerReads };
            using (var stream = new FileStream(incomplete, options))
            {
                stream.Write(System.Text.Encoding.ASCII.GetBytes(signer.ExportPem()));
                stream.Flush(flushToDisk: true);
            }

            File.Move(incomplete, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            return; // another process was quicker, and its key is the one
        }
        finally
        {
            File.Delete(incomplete);
        }
    }
}

/// <summary>What a machine knows of its chain, and of others': hints that spare requests, and that notice what the repository has lost.</summary>
internal sealed record AuditState
{
    /// <summary>The newest segment that this writer is known to have.</summary>
    public AuditHead? Head { get; init; }

    /// <summary>Newest segments of other writers that this chain has named.</summary>
    public IReadOnlyList<AuditHead>? Others { get; init; }

    /// <summary>The effective configuration that was recorded last: settings and their values, secrets by reference.</summary>
    public IReadOnlyDictionary<string, string>? Configuration { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(AuditState))]
internal sealed partial class AuditStateJson : JsonSerializerContext;
