using System.Runtime.InteropServices;

namespace FunctionsBackup.SelfHosting.Engine.Work;

/// <summary>Who holds it is the one worker of a state file. The kernel releases it when the process ends, however it ends.</summary>
internal sealed partial class WorkerLock : IDisposable
{
    private const int Exclusive = 2, NonBlocking = 4; // LOCK_EX, LOCK_NB of flock(2)
    private const int WouldBlock = 11; // EWOULDBLOCK

    private readonly FileStream _file;

    private WorkerLock(FileStream file) => _file = file;

    /// <returns>Null: another one has it.</returns>
    /// <exception cref="StateFileException">The lock's file cannot be made.</exception>
    public static WorkerLock? TryTake(string statePath)
    {
        var path = statePath + ".worker";
        FileStream? file = null;
        try
        {
            // .NET takes the lock, too, unless that is switched off.
            file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            if (Flock(file.SafeFileHandle, Exclusive | NonBlocking) == 0) return new WorkerLock(file);
            var error = Marshal.GetLastPInvokeError();
            file.Dispose();
            return error == WouldBlock ? null : throw new IOException(Marshal.GetPInvokeErrorMessage(error));
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new StateFileException($"The lock {path} cannot be taken ({e.Message}); give this user the right to its folder.", e);
        }
    }

    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeHandle file, int operation);
}
