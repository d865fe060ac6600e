using System.Text;

namespace FunctionsBackup.Cli.Running;

/// <summary>
/// Hands a new recovery key to whoever keeps it, before anything depends on it: into a new file, to a person at the terminal who confirms,
/// or, with <c>--yes</c>, on stdout.
/// </summary>
internal sealed class RecoveryKeyKeeper(CommandContext context, bool yes)
{
    /// <summary>EEXIST, as .NET reports it on Linux.</summary>
    private const int FileExists = 17;

    private bool _written;

    /// <summary>Where the key goes, if to a file.</summary>
    public string? File { get; } = context.Get(GlobalOptions.RecoveryKeyFile);

    /// <summary>The key belongs into the command's result: nobody has seen it yet.</summary>
    public bool MustPrint => File is null && yes;

    /// <exception cref="UsageException">Nobody could acknowledge the key.</exception>
    public void CheckPossible()
    {
        if (File is not null || yes || context.Printer.CanAsk) return;
        throw new UsageException(
            "Nobody is at a terminal to keep the recovery key; add --yes (it is printed on stdout, once) or --recovery-key-file FILE.");
    }

    public async ValueTask<bool> AcknowledgeAsync(string key, CancellationToken cancellationToken)
    {
        CheckPossible();
        if (File is not null)
        {
            await WriteAsync(File, key, cancellationToken);
            _written = true;
            return true;
        }

        return yes || context.Printer.Ask(
            $"""
            This is the recovery key. It opens the repository when the passphrase is lost; nobody can make it again:

                {key}

            Write it down and keep it apart from this machine. Type 'yes' when you have it:
            """);
    }

    /// <summary>A file that turned out not to be needed (somebody else created the repository at the same moment) goes again.</summary>
    public void Settle(bool created)
    {
        if (!created && _written) System.IO.File.Delete(File!);
    }

    /// <summary>Writes the key to a new file that only its owner can read, durably.</summary>
    /// <exception cref="UsageException">The file is there already, or cannot be written.</exception>
    public static async Task WriteAsync(string file, string key, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        try
        {
            await using var stream = new FileStream(file, options);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(key + "\n"), cancellationToken);
            stream.Flush(flushToDisk: true);
        }
        catch (IOException e) when (e.HResult == FileExists)
        {
            throw new UsageException($"The file {file} exists already, and a key file never replaces another; name a new file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The key cannot be written to {file}: {e.Message}");
        }
    }
}
