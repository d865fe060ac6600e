using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>A system call failed. The message names what was attempted, on what, and the system's reason.</summary>
public sealed class PosixException(PosixError error, string attempt, string subject)
    : IOException($"Cannot {attempt} {subject}: {Reason(error)}.")
{
    public PosixError Error { get; } = error;

    /// <summary>Does nothing if <paramref name="error"/> is <see cref="PosixError.None"/>.</summary>
    /// <param name="error">What the call gave.</param>
    /// <param name="attempt">What was attempted: <c>open</c>, <c>write</c>.</param>
    /// <param name="subject">On what, for people.</param>
    /// <exception cref="PosixException">It is another.</exception>
    public static void Check(PosixError error, string attempt, string subject)
    {
        if (error != PosixError.None) throw new PosixException(error, attempt, subject);
    }

    /// <inheritdoc cref="Check(PosixError, string, string)"/>
    public static void Check(PosixError error, string attempt, ReadOnlySpan<byte> subject)
    {
        if (error != PosixError.None) throw new PosixException(error, attempt, ByteName.Display(subject));
    }

    /// <summary>The system's text for an error: <c>No space left on device</c>.</summary>
    public static string Reason(PosixError error) => Marshal.GetPInvokeErrorMessage((int)error);
}
